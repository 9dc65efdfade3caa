# Bytes of the formats that are text.

GUNZIP_BYTES <- 2^22
TEXT_BYTES_MAX <- .Machine$integer.max # A text of R is no longer, and a small file may unpack into a very large one.

gzip <- function(text) {
  path <- tempfile()
  on.exit(unlink(path))
  file <- gzfile(path, "wb")
  writeBin(charToRaw(enc2utf8(text)), file)
  close(file)
  readBin(path, "raw", file.size(path))
}

# By a file, as memDecompress takes all memory there is for bytes that end early. gzfile reads what is not gzipped as it is.
gunzip <- function(bytes, text_bytes_max = TEXT_BYTES_MAX) {
  size <- length(bytes)
  if (size < 18 || !identical(bytes[1:2], as.raw(c(0x1f, 0x8b)))) part_differs("A part is not gzipped")
  path <- tempfile()
  writeBin(bytes, path)
  file <- gzfile(path, "rb")
  on.exit({
    close(file)
    unlink(path)
  })
  pieces <- list()
  inflated <- 0
  damaged <- function(condition) part_differs("A part is gzipped, and damaged")
  while (length(piece <- tryCatch(readBin(file, "raw", GUNZIP_BYTES), error = damaged, warning = damaged)) > 0) {
    pieces[[length(pieces) + 1]] <- piece
    inflated <- inflated + length(piece)
    if (inflated > text_bytes_max) part_differs(sprintf("A part unpacks into more than %.0f bytes, the most that is read at once", text_bytes_max))
  }
  text <- if (length(pieces) == 0) raw() else do.call(c, pieces)
  # The last four bytes say how long the text is, or the last piece of it where several were joined.
  if (sum(as.integer(bytes[size - 3:0]) * 256^(0:3)) > length(text)) part_differs("A part is gzipped, and ends early")
  text
}
