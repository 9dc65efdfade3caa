# Storing: parts are written and put to new places, and only the commit at the end makes them what readers see.

# Well below what the catalogue takes over HTTP for one part, and enough to be read in one go.
PART_ROWS <- 100000L

sf_writer <- function(data, namespace, resource, partitions, partition_keys = NULL, columns = NULL, who = NULL, why = NULL, format = NULL,
                      owner = who, endpoint = NULL, token = NULL) {
  connection <- connection_of(endpoint, token)
  if (!is.data.frame(data)) fail("data-invalid", sprintf("A %s is no data frame", class(data)[1]), "Give a data frame.")
  path <- table_path(namespace, resource)
  given <- partition_values(partitions)
  who <- first_of(who, unname(Sys.info()[["user"]]))
  table <- table_of(connection, path)
  values <- values_in_order(if (is.null(table)) partition_keys else unlist(table$partitionKeys), given)
  format <- first_of(table$format, format, if (can_write_parquet()) "parquet" else "ndjson.gz")
  types <- writer_types(data, columns, table)
  data <- stats::setNames(lapply(names(types), function(name) as_column(data[[name]], types[[name]], name)), names(types))
  write_part <- part_writer(format)
  defined <- call_catalog(connection, "PUT", path, body = json_body(list(
    columns = lapply(names(types), function(name) list(name = name, type = types[[name]])),
    format = format, owner = first_of(owner, who), partitionKeys = if (!is.null(partition_keys)) I(partition_keys)
  )))
  data <- with_all_columns(data, defined)
  parts <- lapply(part_ranges(length(data[[1]])), function(range) {
    bytes <- write_part(attr(data, "types"), lapply(data, function(column) column[range]))
    list(about = list(bytes = length(bytes), rows = length(range), sha256 = hex_sha256(bytes)), bytes = bytes)
  })
  commit_parts(connection, path, values, parts, list(who = who, why = first_of(why, "stored by sf_writer")))
}

commit_parts <- function(connection, path, values, parts, reason) {
  about <- lapply(parts, `[[`, "about")
  plan <- call_catalog(connection, "POST", paste0(path, "/uploads"), body = json_body(list(partitions = I(values), parts = about)))
  for (index in seq_along(parts)) put_bytes(plan$parts[[index]], parts[[index]]$bytes)
  stored <- lapply(plan$parts, function(part) part[c("name", "bytes", "rows", "sha256")])
  body <- json_body(c(list(partition = plan$partition, batchId = plan$batchId, parts = stored), reason))
  answer <- call_catalog(connection, "POST", paste0(path, "/commits"), body = body)
  invisible(list(table = answer$table, partition = answer$partition, batch_id = answer$entry$batchId, number = answer$entry$number))
}

# NULL where there is none yet.
table_of <- function(connection, path) {
  tryCatch(call_catalog(connection, "GET", path), `millrace_table-not-found` = function(error) NULL)
}

# What was said, else what the table has, else what the values are.
writer_types <- function(data, columns, table) {
  unknown <- setdiff(names(columns), names(data))
  if (length(unknown) > 0) fail("column-not-found", sprintf("The data frame has no column %s", toString(unknown)), "Check the names in columns=.")
  if (ncol(data) == 0 || anyDuplicated(names(data)) > 0) fail("data-invalid", "A data frame needs columns, each with a name of its own", "Rename them.")
  known <- stats::setNames(vapply(table$columns, function(each) each$type, ""), vapply(table$columns, function(each) each$name, ""))
  types_for(data, c(as.list(columns), as.list(known[setdiff(names(known), names(columns))])))
}

# A part has all columns of the table, in its order: null where the data frame has none.
with_all_columns <- function(data, defined) {
  names <- vapply(defined$columns, function(each) each$name, "")
  types <- stats::setNames(vapply(defined$columns, function(each) each$type, ""), names)
  rows <- length(data[[1]])
  all <- lapply(names, function(name) if (name %in% names(data)) data[[name]] else as_column(rep(NA, rows), types[[name]], name))
  structure(stats::setNames(all, names), types = types)
}

part_ranges <- function(rows) {
  if (rows == 0) return(list())
  unname(split(seq_len(rows), (seq_len(rows) - 1L) %/% as.integer(getOption("millrace.part_rows", PART_ROWS))))
}

part_writer <- function(format) {
  switch(format, parquet = parquet_writer(), ndjson.gz = write_ndjson, csv.gz = write_csv, fail(
    "format-unknown", sprintf("The format is %s", format), "Use parquet, ndjson.gz or csv.gz; there is no other."
  ))
}

json_body <- function(body) jsonlite::toJSON(body[!vapply(body, is.null, NA)], auto_unbox = TRUE, digits = NA)
