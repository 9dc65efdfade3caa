# Thrift's compact protocol, as far as Parquet's footers and page headers need it. A struct is a list by field number, as text.

thrift_reader <- function(bytes, at = 1L) {
  reader <- new.env(parent = emptyenv())
  reader$bytes <- bytes
  reader$at <- at
  reader
}

next_byte <- function(reader) {
  if (reader$at > length(reader$bytes)) part_differs("A Parquet file ends early")
  byte <- as.integer(reader$bytes[reader$at])
  reader$at <- reader$at + 1L
  byte
}

read_varint <- function(reader) {
  value <- 0
  scale <- 1
  repeat {
    byte <- next_byte(reader)
    value <- value + (byte %% 128L) * scale
    if (byte < 128L) return(value)
    scale <- scale * 128
    if (scale > 2^63) part_differs("A Parquet file has a number that does not end")
  }
}

# Exact up to 2^53, which sizes and counts are far below.
read_zigzag <- function(reader) {
  value <- read_varint(reader)
  if (value %% 2 == 0) value / 2 else -(value + 1) / 2
}

read_struct <- function(reader) {
  fields <- list()
  id <- 0
  repeat {
    header <- next_byte(reader)
    if (header == 0L) return(fields)
    id <- if (header >= 16L) id + header %/% 16L else read_zigzag(reader)
    type <- header %% 16L
    fields[[as.character(id)]] <- if (type <= 2L) type == 1L else read_thrift(reader, type)
  }
}

read_thrift <- function(reader, type) {
  switch(as.character(type),
    "1" = , "2" = next_byte(reader) == 1L,
    "3" = next_byte(reader),
    "4" = , "5" = , "6" = read_zigzag(reader),
    "7" = skip_bytes(reader, 8),
    "8" = skip_bytes(reader, read_varint(reader)),
    "9" = , "10" = read_thrift_list(reader),
    "12" = read_struct(reader),
    part_differs("A Parquet file has a header of an unknown kind")
  )
}

read_thrift_list <- function(reader) {
  header <- next_byte(reader)
  count <- if (header >= 240L) read_varint(reader) else header %/% 16L
  if (count > length(reader$bytes)) part_differs("A Parquet file has a list that does not end")
  lapply(seq_len(count), function(index) read_thrift(reader, header %% 16L))
}

skip_bytes <- function(reader, count) {
  force(count) # It may be read from here, too.
  end <- reader$at + count - 1
  if (end > length(reader$bytes)) part_differs("A Parquet file ends early")
  bytes <- reader$bytes[seq_len(count) + reader$at - 1L]
  reader$at <- as.integer(end + 1)
  bytes
}
