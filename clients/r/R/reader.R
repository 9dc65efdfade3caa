# Reading: which batch is asked once, then its parts are got by their URLs, and no byte is used that is not the one of the answer.

# A long read asks for new URLs before its own run out.
URL_MARGIN_SECONDS <- 60

sf_reader <- function(namespace, resource, partitions = NULL, batch_id = NULL, anchor = NULL, as_of = NULL, columns = NULL,
                      endpoint = NULL, token = NULL) {
  connection <- connection_of(endpoint, token)
  path <- table_path(namespace, resource, "/batch")
  batch <- call_catalog(connection, "GET", path, list(
    partition = partition_name(connection, namespace, resource, partitions),
    batchId = batch_id, anchor = anchor, asOf = instant_text(as_of)
  ))
  types <- chosen_types(batch, columns)
  found <- read_parts(batch, types, function(first) {
    query <- list(partition = batch$partition, batchId = batch$batchId, firstPart = sprintf("%d", first))
    c(call_catalog(connection, "GET", path, query), first_part = first)
  })
  as_frame(types, found$pieces, found$rows, batch, sprintf("%s.%s", namespace, resource))
}

# `ask_from` gives the same batch once more, with new URLs from this part on.
read_parts <- function(batch, types, ask_from, get = get_all) {
  read_part <- part_reader(batch$format)
  pieces <- list()
  rows <- 0
  answer <- batch
  while (length(pieces) < batch$partCount) {
    first <- length(pieces)
    if (!urls_hold(answer) || length(parts_at(answer, first)) == 0) answer <- ask_from(first)
    got <- get_parts(answer, first, ask_from, get)
    answer <- got$answer
    for (index in seq_along(got$parts)) {
      part <- got$parts[[index]]
      piece <- read_part(types, checked(part, got$bodies[[index]]))
      if (piece$rows != part$rows) part_differs(sprintf("%s has %d rows instead of %d", part$name, piece$rows, part$rows))
      pieces[[first + index]] <- piece$data
      rows <- rows + piece$rows
    }
  }
  if (rows != batch$rows) part_differs(sprintf("The batch has %d rows instead of %d", rows, batch$rows))
  list(pieces = pieces, rows = rows)
}

# What does not come is of a batch that has been purged since, which the catalogue then says, or its URL has run out.
get_parts <- function(answer, first, ask_from, get, is_again = FALSE) {
  parts <- parts_at(answer, first)
  if (length(parts) == 0) part_differs("The catalogue does not say where all parts are")
  tryCatch(
    list(answer = answer, parts = parts, bodies = get(vapply(parts, function(part) part$url, ""))),
    `millrace_part-not-got` = function(error) {
      answer <- ask_from(first)
      if (is_again) stop(error)
      get_parts(answer, first, ask_from, get, is_again = TRUE)
    }
  )
}

# As many as are got at once, of those that the answer has.
parts_at <- function(batch, first) {
  place <- first - first_of(batch$first_part, 0) + 1
  last <- min(length(batch$parts), place + PARTS_AT_ONCE - 1)
  if (place > last) list() else batch$parts[place:last]
}

urls_hold <- function(batch) as.numeric(Sys.time()) * 1000 < batch$urlsEndAtMs - URL_MARGIN_SECONDS * 1000

chosen_types <- function(batch, columns) {
  types <- stats::setNames(vapply(batch$columns, function(each) each$type, ""), vapply(batch$columns, function(each) each$name, ""))
  if (is.null(columns)) return(types)
  missing <- setdiff(columns, names(types))
  if (length(missing) == 0) return(types[columns])
  fail("column-not-found", sprintf("The batch has no column %s", toString(missing)), sprintf("It has %s.", toString(names(types))))
}

checked <- function(part, bytes) {
  if (length(bytes) != part$bytes) part_differs(sprintf("%s has %d bytes instead of %d", part$name, length(bytes), part$bytes))
  if (hex_sha256(bytes) != part$sha256) part_differs(sprintf("%s has other bytes than were stored", part$name))
  bytes
}

part_reader <- function(format) {
  switch(format, parquet = read_parquet, ndjson.gz = read_ndjson, csv.gz = read_csv, fail(
    "format-unknown", sprintf("The table is of the format %s", format), "Read it with Python or TypeScript; R reads parquet, ndjson.gz and csv.gz."
  ))
}

as_frame <- function(types, pieces, rows, batch, table) {
  data <- lapply(names(types), function(name) {
    parts <- lapply(pieces, `[[`, name)
    if (length(parts) == 0) as_column(NA[0], types[[name]], name) else if (length(parts) == 1) parts[[1]] else bind_values(parts)
  })
  frame <- structure(data, names = names(types), class = "data.frame", row.names = .set_row_names(rows))
  about <- list(table = table, partition = batch$partition, batch_id = batch$batchId, types = types, created_at = instants_of_text(batch$createdAt, "created_at"))
  structure(frame, millrace = about)
}

# c() of some classes loses or changes their class.
bind_values <- function(parts) {
  all <- unlist(lapply(parts, unclass), recursive = FALSE)
  if (is.list(parts[[1]])) return(all)
  attributes(all) <- attributes(parts[[1]])[c("class", "tzone")]
  all
}
