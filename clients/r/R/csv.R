# Parts of the format csv.gz: gzipped lines, the first of names. An empty field is null, an empty text is in quotes; what is a list, a map or
# JSON is JSON text.

write_csv <- function(columns, data) {
  fields <- unname(lapply(seq_along(data), function(index) csv_texts(data[[index]], columns[[index]])))
  lines <- if (length(data[[1]]) > 0) do.call(paste, c(fields, sep = ","))
  gzip(paste0(c(paste(names(data), collapse = ","), lines), "\n", collapse = ""))
}

# Of a column as as_column gives it: one field for each row.
csv_texts <- function(x, type) {
  texts <- switch(type,
    string = csv_quote(x), int64 = int64_text(x), double = double_text(x), boolean = ifelse(x, "true", "false"), timestamp = timestamp_text(x),
    csv_quote(json_texts(x, type))
  )
  texts[is_null(x)] <- ""
  texts
}

# In quotes where it would not be read back as it is without, and where some readers take blanks away.
csv_quote <- function(text) {
  quoted <- grepl("^$|[\",\r\n]|^\\s|\\s$", text, perl = TRUE)
  text[quoted] <- paste0("\"", gsub("\"", "\"\"", text[quoted], fixed = TRUE), "\"")
  text
}

# `columns`: names with types. Gives a list of columns.
read_csv <- function(columns, bytes) {
  text <- gunzip(bytes)
  found <- tryCatch(.Call(C_read_csv, text, names(columns)), error = function(error) loops_failed(error, "A part of CSV"))
  data <- lapply(seq_along(columns), function(index) column_of_text(found[[2]][[index]], columns[[index]], names(columns)[index]))
  list(rows = found[[1]], data = stats::setNames(data, names(columns)))
}

# Fields, NA for null, as a column. Empty text is text, and null where the column is none.
column_of_text <- function(texts, type, name) {
  if (!all(validUTF8(texts))) part_differs(sprintf("\"%s\" has bytes that are no UTF-8", name))
  if (type == "string") return(texts)
  texts[!nzchar(texts)] <- NA
  switch(type,
    int64 = {
      fits_or_differs(grepl("^-?[0-9]{1,19}$", texts), texts, type, name)
      int64_of_text(texts, name)
    },
    double = doubles_of_text(texts, name),
    boolean = {
      words <- tolower(texts)
      fits_or_differs(words %in% c("true", "false"), texts, type, name)
      words == "true"
    },
    timestamp = instants_of_text(texts, name),
    column_of_json(parse_json_texts(texts), type, name)
  )
}

doubles_of_text <- function(texts, name) {
  fits_or_differs(grepl("^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)(e[+-]?[0-9]+)?$", texts, ignore.case = TRUE), texts, "double", name)
  found <- .Call(C_read_doubles, texts)
  fits_or_differs(is.finite(found), texts, "double", name)
  found
}

fits_or_differs <- function(fits, texts, type, name) {
  if (!all(fits | is.na(texts))) part_differs(sprintf("\"%s\" is not %s", name, type))
}
