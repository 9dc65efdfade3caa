# Parquet by the packages arrow and nanoparquet: written with the types that the catalogue has, whatever R would make of them.

can_write_parquet <- function() requireNamespace("arrow", quietly = TRUE) || requireNamespace("nanoparquet", quietly = TRUE)

parquet_writer <- function() {
  if (requireNamespace("arrow", quietly = TRUE)) return(write_arrow_parquet)
  if (requireNamespace("nanoparquet", quietly = TRUE)) return(write_nanoparquet)
  fail("parquet-needed", "The table has the format parquet, and neither arrow nor nanoparquet is installed", paste(
    "Install one: install.packages(\"arrow\"). Or store to a table of your own, which is then of the format ndjson.gz."
  ))
}

write_arrow_parquet <- function(types, data) {
  fields <- lapply(types, arrow_type)
  arrays <- lapply(names(types), function(name) arrow::Array$create(for_package(data[[name]], types[[name]]), type = fields[[name]]))
  table <- do.call(arrow::arrow_table, stats::setNames(arrays, names(types)))
  path <- tempfile(fileext = ".parquet")
  on.exit(unlink(path))
  arrow::write_parquet(table, path, compression = "snappy")
  readBin(path, "raw", file.size(path))
}

arrow_type <- function(type) {
  shape <- type_shape(type)
  of <- switch(shape$of,
    string = , json = arrow::utf8(), int64 = arrow::int64(), double = arrow::float64(), boolean = arrow::boolean(),
    timestamp = arrow::timestamp("ms", "UTC")
  )
  switch(shape$kind, scalar = of, list = arrow::list_of(of), map = arrow::map_of(arrow::utf8(), of))
}

read_arrow_parquet <- function(types, bytes) {
  before <- options(arrow.int64_downcast = FALSE)
  on.exit(options(before))
  table <- arrow::read_parquet(bytes, col_select = names(types), as_data_frame = FALSE)
  columns <- as.list(as.data.frame(table))
  list(rows = table$num_rows, data = stats::setNames(lapply(names(types), function(name) {
    values <- from_package(columns[[name]], types[[name]], name)
    shape <- type_shape(types[[name]])
    if (shape$of == "int64") refuse_least(values, arrow_nulls(table[[name]], shape$kind), name)
    values
  }), names(types)))
}

# As arrow counts them: in R the least integer is NA as well.
arrow_nulls <- function(column, kind) {
  switch(kind,
    scalar = column$null_count, list = sum(vapply(column$chunks, function(chunk) chunk$values()$null_count, 0)),
    map = sum(vapply(column$chunks, function(chunk) chunk$items()$null_count, 0))
  )
}

refuse_least <- function(values, nulls, name) {
  found <- if (is.list(values)) sum(vapply(values, function(each) sum(is_null_int64(each)), 0)) else sum(is_null_int64(values))
  if (found > nulls) int64_least(name)
}

# nanoparquet has no maps, and lists of nothing but integers, numbers and texts.
write_nanoparquet <- function(types, data) {
  nested <- names(types)[grepl("<", types, fixed = TRUE)]
  if (length(nested) > 0) {
    fail("parquet-needed", sprintf("nanoparquet does not write the type of the column %s", nested[1]), "Install arrow, or make the table with format = \"ndjson.gz\".")
  }
  kinds <- c(string = "STRING", json = "STRING", int64 = "INT64", double = "DOUBLE", boolean = "BOOLEAN", timestamp = "AUTO")
  schema <- do.call(nanoparquet::parquet_schema, as.list(stats::setNames(kinds[types], names(types))))
  columns <- lapply(names(types), function(name) for_package(data[[name]], types[[name]]))
  frame <- structure(columns, names = names(types), class = "data.frame", row.names = .set_row_names(length(columns[[1]])))
  nanoparquet::write_parquet(frame, ":raw:", schema = schema)
}

# JSON is text in a file; a map is rows of key and value.
for_package <- function(x, type) {
  shape <- type_shape(type)
  if (type == "json") return(ifelse(is_null(x), NA_character_, json_texts(x, "json")))
  if (shape$kind == "scalar") return(x)
  lapply(x, function(each) {
    if (is.null(each)) return(NULL)
    inner <- if (shape$of == "json") for_package(unname(each), "json") else unname_vector(each)
    if (shape$kind == "list") inner else data.frame(key = as.character(names(each)), value = inner)
  })
}

from_package <- function(x, type, name) {
  shape <- type_shape(type)
  if (type == "json") return(parse_json_texts(as.character(x)))
  if (shape$kind == "scalar") return(if (shape$of == "timestamp") instants_of_ms(ms_of_instants(x)) else as_column(x, type, name))
  lapply(as.list(x), function(each) {
    if (is.null(each)) return(NULL)
    values <- if (shape$kind == "map") each[[2]] else each
    inner <- from_package(plain_vector(values), shape$of, name)
    if (shape$kind == "map") stats::setNames(inner, as.character(each[[1]])) else inner
  })
}

# Arrow's own vectors as R's, instants and integers as they are.
plain_vector <- function(x) if (inherits(x, c("integer64", "POSIXct"))) x else as.vector(x)
