# The pages of one column of a row group: levels, and values where they are not null. Codes are those of Parquet's format.

PAGE_DATA <- 0
PAGE_DICTIONARY <- 2
PAGE_DATA_V2 <- 3

# `leaf`: type, max_def, max_rep. Gives values, def and rep of all pages; levels are NULL where there are none.
read_chunk <- function(bytes, meta, leaf) {
  count <- meta[["5"]]
  start <- min(meta[["9"]], first_of(meta[["11"]], Inf))
  at <- start
  dictionary <- NULL
  pages <- list()
  seen <- 0
  while (seen < count) {
    found <- .Call(C_read_thrift, bytes, at)
    header <- found[[1]]
    body <- slice(bytes, found[[2]], header[["3"]])
    at <- found[[2]] + length(body)
    if (header[["1"]] == PAGE_DICTIONARY) {
      dictionary <- plain_values(decompress(body, header[["2"]], meta[["4"]]), header[["7"]][["1"]], leaf)
    } else if (header[["1"]] %in% c(PAGE_DATA, PAGE_DATA_V2)) {
      about <- header[[if (header[["1"]] == PAGE_DATA) "5" else "8"]]
      if (!isTRUE(about[["1"]] >= 0 && about[["1"]] <= count - seen)) part_differs("A page has more values than its column")
      page <- if (header[["1"]] == PAGE_DATA) page_v1(header, body, meta, leaf) else page_v2(header, body, meta, leaf)
      page$values <- page_values(page, leaf, dictionary)
      seen <- seen + page$count
      pages <- c(pages, list(page[c("values", "def", "rep")]))
    }
  }
  list(
    values = join_pages(lapply(pages, `[[`, "values")), def = unlist(lapply(pages, `[[`, "def")), rep = unlist(lapply(pages, `[[`, "rep"))
  )
}

join_pages <- function(values) if (length(values) == 1) values[[1]] else unlist(values)

# Levels with their length before them, all compressed as one.
page_v1 <- function(header, body, meta, leaf) {
  about <- header[["5"]]
  bytes <- decompress(body, header[["2"]], meta[["4"]])
  at <- 0
  levels <- function(most) {
    if (most == 0) return(NULL)
    length <- sum(as.integer(slice(bytes, at, 4)) * 256^(0:3))
    found <- .Call(C_unpack_hybrid, slice(bytes, at + 4, length), bits_of(most), about[["1"]])
    at <<- at + 4 + length
    found
  }
  rep <- levels(leaf$max_rep)
  def <- levels(leaf$max_def)
  list(count = about[["1"]], encoding = about[["2"]], rep = rep, def = def, bytes = slice(bytes, at, length(bytes) - at))
}

# Levels in the open before the values.
page_v2 <- function(header, body, meta, leaf) {
  about <- header[["8"]]
  rep_bytes <- about[["6"]]
  def_bytes <- about[["5"]]
  levels <- function(most, at, length) if (most > 0) .Call(C_unpack_hybrid, slice(body, at, length), bits_of(most), about[["1"]])
  values <- slice(body, rep_bytes + def_bytes, length(body) - rep_bytes - def_bytes)
  is_compressed <- !identical(about[["7"]], FALSE)
  list(
    count = about[["1"]], encoding = about[["4"]], rep = levels(leaf$max_rep, 0, rep_bytes), def = levels(leaf$max_def, rep_bytes, def_bytes),
    bytes = if (is_compressed) decompress(values, header[["2"]] - rep_bytes - def_bytes, meta[["4"]]) else values
  )
}

page_values <- function(page, leaf, dictionary) {
  count <- if (is.null(page$def)) page$count else sum(page$def == leaf$max_def)
  if (count == 0) return(plain_values(raw(), 0, leaf))
  encoding <- as.character(page$encoding)
  if (encoding == "0") return(plain_values(page$bytes, count, leaf))
  if (encoding == "3" && leaf$type == "BOOLEAN") {
    return(.Call(C_unpack_hybrid, slice(page$bytes, 4, length(page$bytes) - 4), 1L, count) == 1L)
  }
  if (!encoding %in% c("2", "8") || is.null(dictionary)) parquet_beyond(sprintf("the encoding %s", encoding))
  places <- .Call(C_unpack_hybrid, slice(page$bytes, 1, length(page$bytes) - 1), as.integer(page$bytes[1]), count)
  if (any(places >= length(dictionary))) part_differs("A page names values that its dictionary does not have")
  dictionary[places + 1L]
}

plain_values <- function(bytes, count, leaf) {
  switch(leaf$type,
    BYTE_ARRAY = .Call(C_read_texts, bytes, count),
    INT64 = .Call(C_read_int64, bytes, count, leaf$as_bits),
    DOUBLE = whole(readBin(bytes, "double", count, endian = "little"), count),
    BOOLEAN = whole(as.logical(rawToBits(bytes))[seq_len(count)], count),
    parquet_beyond(sprintf("the type %s", leaf$type))
  )
}

whole <- function(values, count) if (length(values) == count && !anyNA(values[!is.nan(values)])) values else part_differs("A page ends early")

decompress <- function(bytes, size, codec) {
  if (size == 0) return(raw())
  switch(as.character(codec),
    "0" = bytes,
    "1" = .Call(C_unsnap, bytes, size),
    "2" = memDecompress(bytes, "gzip"),
    parquet_beyond(sprintf("the compression %s", codec))
  )
}

# `at`: from 0.
slice <- function(bytes, at, count) {
  if (count < 0 || at + count > length(bytes)) part_differs("A page ends early")
  if (count == 0) raw() else bytes[seq.int(at + 1, length.out = count)]
}

bits_of <- function(most) as.integer(ceiling(log2(most + 1)))

# What the package's own reader does not know; arrow or nanoparquet may.
parquet_beyond <- function(what) fail("parquet-beyond", sprintf("A Parquet file has %s", what), "Install arrow, which reads all of Parquet.")
