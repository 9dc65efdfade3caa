# Values as JSON text: what goes in comes out, to the last bit. jsonlite's own writer rounds numbers.

# Of text, in quotes.
json_quote <- function(text) {
  text <- gsub("\\", "\\\\", enc2utf8(text), fixed = TRUE)
  text <- gsub("\"", "\\\"", text, fixed = TRUE)
  if (any(grepl("[\001-\037]", text, useBytes = TRUE))) {
    for (code in 1:31) text <- gsub(rawToChar(as.raw(code)), sprintf("\\u%04x", code), text, fixed = TRUE)
  }
  paste0("\"", text, "\"")
}

# The shortest text of 15 to 17 digits that reads back as the same number, by a reader that rounds as IEEE says (R's own does not always).
double_text <- function(x) {
  text <- sprintf("%.15g", x)
  again <- !is.na(x)
  for (digits in 16:17) {
    again[again] <- read_numbers(text[again]) != x[again]
    if (!any(again)) break
    text[again] <- sprintf("%.*g", digits, x[again])
  }
  text[!is.na(x) & x == 0 & 1 / x < 0] <- "-0.0"
  text[is.na(x)] <- NA
  text
}

read_numbers <- function(text) {
  if (length(text) == 0) return(numeric())
  as.double(jsonlite::fromJSON(paste0("[", paste(text, collapse = ","), "]")))
}

# A year has four digits, which R's %Y does not promise.
timestamp_text <- function(x) {
  ms <- ms_of_instants(x)
  at <- as.POSIXlt(.POSIXct(floor(ms / 1000), "UTC"), tz = "UTC")
  fraction <- ifelse(ms %% 1000 == 0, "", sprintf(".%03.0f", ms %% 1000))
  text <- sprintf("%04d-%02d-%02dT%02d:%02d:%02.0f%sZ", at$year + 1900L, at$mon + 1L, at$mday, at$hour, at$min, at$sec, fraction)
  ifelse(is.na(ms), NA_character_, text)
}

# Of a column as as_column gives it: one text for each row.
json_texts <- function(x, type) {
  shape <- type_shape(type)
  if (shape$kind == "scalar") return(scalar_texts(x, shape$of))
  vapply(x, function(each) if (is.null(each)) "null" else nested_text(each, shape), "", USE.NAMES = FALSE)
}

nested_text <- function(x, shape) {
  inner <- paste(scalar_texts(x, shape$of), collapse = ",")
  if (shape$kind == "list") return(paste0("[", inner, "]"))
  if (length(x) == 0) return("{}")
  paste0("{", paste0(json_quote(names(x)), ":", scalar_texts(x, shape$of), collapse = ","), "}")
}

scalar_texts <- function(x, of) {
  if (of == "json") return(vapply(x, json_text, "", USE.NAMES = FALSE))
  if (length(x) == 0) return(character()) # paste0 makes one text of none.
  missing <- is_null(x)
  texts <- switch(of,
    string = json_quote(x),
    int64 = {
      digits <- int64_text(x)
      ifelse(nchar(digits) > 15 & abs(read_numbers(ifelse(is.na(digits), "0", digits))) > INTEGER_EXACT_MAX, paste0("\"", digits, "\""), digits)
    },
    double = double_text(x),
    boolean = ifelse(x, "true", "false"),
    timestamp = paste0("\"", timestamp_text(x), "\"")
  )
  texts[missing] <- "null"
  unname(texts)
}

# Any value: names make an object, several values or a list an array, one value itself.
json_text <- function(x) {
  if (is.null(x)) return("null")
  if (is.factor(x)) x <- as.character(x)
  if (is.data.frame(x) || (is.object(x) && !inherits(x, c("AsIs", "integer64", "POSIXct")))) {
    row_invalid("?", "json", sprintf("a %s is no value of JSON", class(x)[1]))
  }
  if (!is.list(x) && is.null(names(x)) && length(x) == 1 && !inherits(x, "AsIs")) return(json_scalar(x))
  members <- vapply(seq_along(x), function(index) json_text(element(x, index)), "")
  if (is.null(names(x))) paste0("[", paste(members, collapse = ","), "]") else json_object(names(x), members)
}

json_object <- function(names, members) {
  if (length(members) == 0) return("{}")
  if (anyDuplicated(names) > 0) row_invalid("?", "json", "a name comes twice")
  paste0("{", paste0(json_quote(names), ":", members, collapse = ","), "}")
}

json_scalar <- function(x) {
  type <- if (is.logical(x)) "boolean" else type_of("?", x)
  scalar_texts(as_scalars(x, type, "?", "json"), type)
}

element <- function(x, index) if (is.list(x)) x[[index]] else unname_vector(x[index])
