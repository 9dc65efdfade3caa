# One SHA-256 of the values, the same as from TypeScript and Python: docs/catalog.md of Millrace, "Checksum of values", defines it.
#
# Of the columns as they were read; where the data frame is of other making, of the types that sf_writer would give them.
sf_checksum <- function(data, columns = NULL) {
  types <- types_for(data, columns)
  types <- types[order(names(types), method = "radix")]
  texts <- lapply(names(types), function(name) value_texts(as_column(data[[name]], types[[name]], name), types[[name]]))
  lines <- if (nrow(data) == 0) character() else do.call(paste, c(texts, sep = "\t"))
  lines <- sort(enc2utf8(lines), method = "radix")
  hex_sha256(charToRaw(enc2utf8(paste0(c(paste(names(types), collapse = "\t"), lines), "\n", collapse = ""))))
}

# Types that were said, or read, or seen, in this order.
types_for <- function(data, columns) {
  read <- attr(data, "millrace")$types
  types <- vapply(names(data), function(name) {
    if (name %in% names(columns)) columns[[name]] else if (name %in% names(read)) read[[name]] else type_of(name, data[[name]])
  }, "")
  stats::setNames(types, names(data))
}

value_texts <- function(x, type) {
  shape <- type_shape(type)
  if (shape$kind == "scalar") return(scalar_values(x, shape$of, FALSE))
  vapply(x, function(each) {
    if (is.null(each)) return("\\N")
    inner <- scalar_values(each, shape$of, TRUE)
    if (shape$kind == "list") paste0("[", paste(inner, collapse = ","), "]") else object_value(names(each), inner)
  }, "", USE.NAMES = FALSE)
}

# `inside` of a list, a map or JSON, where text is in quotes.
scalar_values <- function(x, of, inside) {
  if (of == "json") return(vapply(x, json_value, "", USE.NAMES = FALSE))
  if (length(x) == 0) return(character()) # paste0 makes one text of none.
  missing <- is_null(x)
  texts <- switch(of,
    string = if (inside) value_quote(x) else value_escape(x),
    int64 = int64_text(x),
    double = double_bits(x),
    boolean = ifelse(x, "true", "false"),
    timestamp = sprintf("%.0f", ms_of_instants(x))
  )
  texts[missing] <- "\\N"
  unname(texts)
}

json_value <- function(x) {
  if (is.null(x)) return("\\N")
  if (!is.list(x) && is.null(names(x)) && length(x) == 1 && !inherits(x, "AsIs")) {
    if (is.na(x)) return("\\N")
    if (is.factor(x)) x <- as.character(x)
    # JSON has one kind of number.
    if (inherits(x, "POSIXct")) return(value_quote(timestamp_text(x)))
    return(scalar_values(if (is.numeric(x)) as.double(x) else x, if (is.numeric(x)) "double" else if (is.logical(x)) "boolean" else "string", TRUE))
  }
  members <- vapply(seq_along(x), function(index) json_value(element(x, index)), "")
  if (is.null(names(x))) paste0("[", paste(members, collapse = ","), "]") else object_value(names(x), members)
}

object_value <- function(names, values) {
  if (length(values) == 0) return("{}")
  order <- order(enc2utf8(names), method = "radix")
  paste0("{", paste0(value_quote(names), ":", values)[order] |> paste(collapse = ","), "}")
}

value_escape <- function(text) {
  text <- gsub("\\", "\\\\", enc2utf8(as.character(text)), fixed = TRUE)
  for (each in list(c("\t", "\\t"), c("\n", "\\n"), c("\r", "\\r"))) text <- gsub(each[1], each[2], text, fixed = TRUE)
  text
}

value_quote <- function(text) paste0("\"", gsub("\"", "\\\"", value_escape(text), fixed = TRUE), "\"")

# The eight bytes of each, greatest first, as hex.
double_bits <- function(x) {
  if (length(x) == 0) return(character())
  bytes <- matrix(as.character(writeBin(as.double(x), raw(), endian = "big")), nrow = 8)
  do.call(paste0, lapply(1:8, function(row) bytes[row, ]))
}
