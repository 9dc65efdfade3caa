# Parquet files, read by the package itself: what Millrace, pyarrow, DuckDB and nanoparquet write by default. What is beyond it is left to
# arrow where that is installed.

PHYSICAL_TYPES <- c("BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
PHYSICAL_OF <- c(string = "BYTE_ARRAY", json = "BYTE_ARRAY", int64 = "INT64", timestamp = "INT64", double = "DOUBLE", boolean = "BOOLEAN")
NA_INT64_BITS <- -0.0 # The least integer of 64 bits has the bits of this double, and is what bit64 takes for NA.

# `types`: the columns that are asked for. Only they are decoded.
read_parquet <- function(types, bytes) {
  tryCatch(read_own_parquet(types, bytes),
    `millrace_parquet-beyond` = function(error) {
      if (!requireNamespace("arrow", quietly = TRUE)) stop(error)
      read_arrow_parquet(types, bytes)
    },
    millrace_error = function(error) stop(error),
    error = function(error) loops_failed(error, "A Parquet file")
  )
}

read_own_parquet <- function(types, bytes) {
  footer <- parquet_footer(bytes)
  leaves <- parquet_leaves(footer[["2"]])
  groups <- lapply(footer[["4"]], function(group) read_group(types, bytes, group, leaves))
  data <- lapply(names(types), function(name) {
    parts <- lapply(groups, `[[`, name)
    if (length(parts) == 0) as_column(NA[0], types[[name]], name) else if (length(parts) == 1) parts[[1]] else bind_values(parts)
  })
  list(rows = footer[["3"]], data = stats::setNames(data, names(types)))
}

parquet_footer <- function(bytes) {
  size <- length(bytes)
  magic <- charToRaw("PAR1")
  if (size < 12 || !identical(bytes[1:4], magic) || !identical(bytes[size - 3:0], magic)) part_differs("A part is no Parquet file")
  length <- sum(as.integer(bytes[size - 7:4]) * 256^(0:3))
  if (length > size - 12) part_differs("A Parquet file ends early")
  .Call(C_read_thrift, slice(bytes, size - 8 - length, length), 0)[[1]]
}

# Of each leaf by its path: physical type, levels, and those at which a list is there at all, and has a place.
parquet_leaves <- function(schema) {
  found <- list()
  at <- 1
  walk <- function(path, levels) {
    element <- schema[[at]]
    at <<- at + 1
    repetition <- first_of(element[["3"]], 0)
    path <- c(path, as_utf8(element[["4"]]))
    levels$def <- levels$def + (repetition != 0)
    if (repetition == 2) levels[c("rep", "slot")] <- list(levels$rep + 1, levels$def)
    if (length(path) == 1) levels$outer <- levels$def
    children <- first_of(element[["5"]], 0)
    for (child in seq_len(children)) walk(path, levels)
    if (children > 0) return(invisible())
    found[[paste(path, collapse = ".")]] <<- list(
      name = path[1], type = PHYSICAL_TYPES[element[["1"]] + 1], max_def = levels$def, max_rep = levels$rep, outer = levels$outer,
      slot = levels$slot, per_ms = per_ms_of(element)
    )
  }
  roots <- schema[[1]][["5"]]
  at <- 2
  for (root in seq_len(roots)) walk(character(), list(def = 0, rep = 0, outer = 0, slot = NA))
  found
}

# How many units of the file are a millisecond.
per_ms_of <- function(element) {
  unit <- names(element[["10"]][["8"]][["2"]])
  if (identical(unit, "3")) 1e6 else if (identical(unit, "2") || identical(element[["6"]], 10)) 1000 else 1
}

read_group <- function(types, bytes, group, leaves) {
  chunks <- group[["1"]]
  paths <- vapply(chunks, function(chunk) paste(vapply(chunk[["3"]][["3"]], as_utf8, ""), collapse = "."), "")
  leaf_names <- vapply(leaves, `[[`, "", "name")
  data <- lapply(names(types), function(name) {
    shape <- type_shape(types[[name]])
    of_column <- leaves[leaf_names == name]
    if (length(of_column) != (if (shape$kind == "map") 2 else 1) || any(vapply(of_column, `[[`, 0, "max_rep") != (shape$kind != "scalar"))) {
      part_differs(sprintf("\"%s\" is not %s", name, types[[name]]))
    }
    kinds <- c(if (shape$kind == "map") "string", shape$of)
    read <- lapply(seq_along(of_column), function(index) {
      chunk <- chunks[[match(names(of_column)[index], paths)]]
      read_leaf(bytes, chunk[["3"]], of_column[[index]], kinds[index])
    })
    in_rows(read, of_column, shape, group[["3"]])
  })
  stats::setNames(data, names(types))
}

# Values with NA (or NULL) for null, and the levels as the file has them.
read_leaf <- function(bytes, meta, leaf, kind) {
  if (leaf$type != PHYSICAL_OF[[kind]]) part_differs(sprintf("\"%s\" is %s in the file", leaf$name, leaf$type))
  if (kind == "timestamp" && leaf$per_ms > 1000) parquet_beyond("instants in nanoseconds")
  leaf$as_bits <- kind == "int64" && has_bit64()
  chunk <- read_chunk(bytes, meta, leaf)
  values <- chunk$values
  if (!is.null(chunk$def)) {
    values <- rep(if (leaf$as_bits) NA_INT64_BITS else chunk$values[NA_integer_], length(chunk$def))
    values[chunk$def == leaf$max_def] <- chunk$values
  }
  if (leaf$as_bits) class(values) <- "integer64"
  if (kind == "timestamp") values <- instants_of_ms(trunc(values / leaf$per_ms))
  if (kind == "json") values <- parse_json_texts(values)
  list(values = values, def = chunk$def, rep = chunk$rep)
}

parse_json_texts <- function(texts) {
  parsed <- vector("list", length(texts))
  given <- texts[!is.na(texts)]
  if (length(given) == 0) return(parsed)
  text <- paste0("[", paste(given, collapse = ","), "]")
  refuse_odd_text(text)
  found <- tryCatch(jsonlite::fromJSON(text, simplifyVector = FALSE), error = function(error) NULL)
  if (length(found) != length(given)) part_differs("A column of JSON has text that is none")
  parsed[!is.na(texts)] <- found
  parsed
}

in_rows <- function(read, leaves, shape, rows) {
  last <- read[[length(read)]]
  if (shape$kind == "scalar") {
    if (length(last$values) != rows) part_differs("A column has another count of rows than the file")
    return(last$values)
  }
  leaf <- leaves[[length(leaves)]]
  row <- cumsum(last$rep == 0)
  if (last$rep[1] != 0 || row[length(row)] != rows) part_differs("A column has another count of rows than the file")
  has_place <- last$def >= leaf$slot
  keys <- if (shape$kind == "map") read[[1]]$values[has_place]
  data <- split_values(last$values[has_place], row[has_place], keys, rows)
  data[row[last$def < leaf$outer]] <- list(NULL)
  data
}

split_values <- function(values, row, keys, rows) {
  attributes <- attributes(values)[c("class", "tzone")]
  attributes <- attributes[lengths(attributes) > 0]
  places <- split(seq_along(values), factor(row, levels = seq_len(rows)))
  lapply(unname(places), function(place) {
    found <- unclass(values)[place]
    attributes(found) <- attributes
    if (!is.null(keys)) names(found) <- keys[place]
    found
  })
}
