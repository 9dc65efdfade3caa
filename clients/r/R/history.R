# What was current when, who said so and why; and an earlier batch made current again.

sf_history <- function(namespace, resource, partitions = NULL, endpoint = NULL, token = NULL) {
  connection <- connection_of(endpoint, token)
  query <- list(partition = partition_name(connection, namespace, resource, partitions))
  entries <- call_catalog(connection, "GET", table_path(namespace, resource, "/history"), query)$entries
  member <- function(name, empty) vapply(entries, function(entry) entry[[name]], empty)
  data.frame(
    number = as.integer(member("number", 0)), kind = member("kind", ""), batch_id = member("batchId", ""),
    at = instants_of_ms(member("at", 0)), who = member("who", ""), why = member("why", "")
  )
}

sf_rollback <- function(namespace, resource, partitions, to, why, who = NULL, endpoint = NULL, token = NULL) {
  connection <- connection_of(endpoint, token)
  body <- json_body(list(
    partition = partition_name(connection, namespace, resource, partitions), to = to,
    who = first_of(who, unname(Sys.info()[["user"]])), why = why
  ))
  answer <- call_catalog(connection, "POST", table_path(namespace, resource, "/rollbacks"), body = body)
  invisible(list(table = answer$table, partition = answer$partition, batch_id = answer$entry$batchId, number = answer$entry$number))
}
