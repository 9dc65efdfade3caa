# Parts of the format ndjson.gz: gzipped lines of JSON, each with all columns.

write_ndjson <- function(columns, data) {
  if (length(data[[1]]) == 0) return(gzip(""))
  begins <- paste0(ifelse(seq_along(data) == 1, "{", ","), json_quote(names(data)), ":")
  pieces <- unlist(lapply(seq_along(data), function(index) list(begins[index], json_texts(data[[index]], columns[[index]]))), recursive = FALSE)
  gzip(paste0(do.call(paste0, pieces), "}\n", collapse = ""))
}

# `columns`: names with types. Gives a list of columns.
read_ndjson <- function(columns, bytes) {
  rows <- parse_lines(gunzip(bytes))
  data <- lapply(names(columns), function(name) {
    column_of_json(lapply(rows, function(row) row[[name]]), columns[[name]], name)
  })
  list(rows = length(rows), data = stats::setNames(data, names(columns)))
}

parse_lines <- function(bytes) {
  if (length(bytes) == 0) return(list())
  text <- tryCatch(as_utf8(bytes), error = function(error) part_differs("A part has a byte of zero, which is no text"))
  refuse_odd_text(text)
  text <- sub("\n$", "", text, useBytes = TRUE)
  text <- paste0("[", gsub("\n", ",", text, fixed = TRUE, useBytes = TRUE), "]")
  Encoding(text) <- "UTF-8"
  rows <- tryCatch(jsonlite::fromJSON(text, simplifyVector = FALSE), error = function(error) part_differs("A part is no lines of JSON"))
  if (!all(vapply(rows, function(row) is.list(row) && !is.null(names(row)), NA))) part_differs("A line of a part is no JSON object")
  rows
}

# Of JSON: R's text ends at a zero, where the parser would cut, and has no half of a character, of which the parser would make another one.
refuse_odd_text <- function(text) {
  if (!all(validUTF8(text))) part_differs("A part has bytes that are no UTF-8")
  if (!grepl("\\\\u(0000|[dD][89a-fA-F])", text, perl = TRUE, useBytes = TRUE)) return(invisible())
  # What is escaped itself escapes nothing.
  text <- gsub("\\\\", "  ", text, fixed = TRUE, useBytes = TRUE)
  if (grepl("\\u0000", text, fixed = TRUE, useBytes = TRUE)) {
    fail("text-has-zero", "A text has the character U+0000, which R's texts cannot hold", LEAVE_OUT_NEXT)
  }
  text <- gsub(SURROGATE_PAIR, "", text, perl = TRUE, useBytes = TRUE)
  if (!grepl("\\\\u[dD][89a-fA-F]", text, perl = TRUE, useBytes = TRUE)) return(invisible())
  fail("text-has-surrogate", "A text has half a character (a lone surrogate), which R's texts cannot hold", LEAVE_OUT_NEXT)
}

SURROGATE_PAIR <- "\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}"

# Values as jsonlite has parsed them, one of each row, NULL for null, as a column.
column_of_json <- function(values, type, name) {
  shape <- type_shape(type)
  if (shape$kind == "scalar") return(scalars_of_json(values, shape$of, name, type))
  lapply(values, function(each) {
    if (is.null(each)) return(NULL)
    if (!is.list(each) || is.null(names(each)) != (shape$kind == "list")) part_differs(sprintf("\"%s\" is not %s", name, type))
    inner <- scalars_of_json(unname(each), shape$of, name, type)
    if (shape$kind == "map") names(inner) <- names(each)
    inner
  })
}

scalars_of_json <- function(values, of, name, type) {
  if (of == "json") return(values)
  missing <- vapply(values, is.null, NA)
  fits <- switch(of, string = , timestamp = is.character, boolean = is.logical, double = is.numeric, int64 = function(x) is.numeric(x) || is.character(x))
  if (!all(vapply(values[!missing], fits, NA))) part_differs(sprintf("\"%s\" is not %s", name, type))
  given <- values[!missing]
  if (of == "int64") return(int64_of_json(given, missing, name))
  empty <- switch(of, string = , timestamp = NA_character_, boolean = NA, double = NA_real_)
  found <- rep(empty, length(values))
  if (length(given) > 0) found[!missing] <- unlist(given)
  if (of == "double" && any(is.infinite(found))) part_differs(sprintf("\"%s\" is not %s", name, type))
  if (of == "timestamp") instants_of_text(found, name) else found
}

# Numbers while they are exact, decimal text beyond.
int64_of_json <- function(given, missing, name) {
  is_text <- vapply(given, is.character, NA)
  texts <- character(length(given))
  texts[is_text] <- unlist(given[is_text])
  numbers <- as.double(unlist(given[!is_text]))
  if (any(numbers != trunc(numbers) | abs(numbers) > INTEGER_EXACT_MAX)) part_differs(sprintf("\"%s\" is not int64", name))
  texts[!is_text] <- sprintf("%.0f", numbers + 0)
  if (!all(grepl("^-?[0-9]{1,19}$", texts))) part_differs(sprintf("\"%s\" is not int64", name))
  all_texts <- rep(NA_character_, length(missing))
  all_texts[!missing] <- texts
  int64_of_text(all_texts, name)
}

int64_of_text <- function(texts, name) {
  if (!has_bit64()) {
    numbers <- as.double(texts)
    if (any(abs(numbers) > INTEGER_EXACT_MAX, na.rm = TRUE)) need_bit64(name)
    return(numbers)
  }
  refuse_beyond_int64(texts, name)
  bit64::as.integer64(texts)
}

# To bit64 what is beyond is the greatest integer, and the least is NA.
refuse_beyond_int64 <- function(texts, name) {
  digits <- sub("^-?0*", "", texts)
  is_beyond <- nchar(digits) == 19 & digits > ifelse(startsWith(texts, "-"), "9223372036854775808", "9223372036854775807")
  if (any(is_beyond, na.rm = TRUE)) part_differs(sprintf("\"%s\" is not int64", name))
  if (!any(digits == "9223372036854775808", na.rm = TRUE)) return(invisible())
  int64_least(name)
}

int64_least <- function(name) {
  fail("int64-least", sprintf("The column \"%s\" has the integer -2^63, which bit64 takes for NA", name), LEAVE_OUT_NEXT)
}

RFC_3339 <- "^(\\d{4}-\\d\\d-\\d\\d)[T ](\\d\\d:\\d\\d:\\d\\d)(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)$"

# Finer than a millisecond is cut off, as every reader of the catalogue does.
instants_of_text <- function(texts, name) {
  given <- !is.na(texts)
  found <- rep(NA_real_, length(texts))
  text <- toupper(texts[given])
  if (!all(grepl(RFC_3339, text, perl = TRUE))) part_differs(sprintf("\"%s\" is not timestamp", name))
  seconds <- as.numeric(as.POSIXct(strptime(paste(substr(text, 1, 10), substr(text, 12, 19)), "%Y-%m-%d %H:%M:%S", tz = "UTC")))
  if (anyNA(seconds)) part_differs(sprintf("\"%s\" is not timestamp", name))
  digits <- substr(paste0(sub("^\\.", "", sub(RFC_3339, "\\3", text, perl = TRUE)), "000"), 1, 3)
  offset <- sub(RFC_3339, "\\4", text, perl = TRUE)
  offset[offset == "Z"] <- "+00:00"
  minutes <- (as.numeric(substr(offset, 2, 3)) * 60 + as.numeric(substr(offset, 5, 6))) * ifelse(substr(offset, 1, 1) == "-", -1, 1)
  found[given] <- (seconds - minutes * 60) * 1000 + as.numeric(digits)
  instants_of_ms(found)
}
