# Tables and partitions by name: a namespace is a database of the catalogue, a resource is a table.

table_path <- function(namespace, resource, route = "") {
  for (each in list(namespace, resource)) {
    if (!is.character(each) || length(each) != 1 || !grepl("^[a-z0-9_-]+$", each)) {
      fail("name-invalid", sprintf("\"%s\" is no name of a namespace or a resource", toString(each)), "Use small letters, digits, - and _.")
    }
  }
  paste0("/", namespace, ".", resource, route)
}

# `year=2026/country=de`: values in the order of the table's keys, or named by them. NULL: the newest.
partition_name <- function(connection, namespace, resource, partitions) {
  if (is.null(partitions)) return(NULL)
  values <- partition_values(partitions)
  keys <- names(values)
  if (is.null(keys) && !all(grepl("=", values, fixed = TRUE))) {
    keys <- unlist(call_catalog(connection, "GET", table_path(namespace, resource))$partitionKeys)
    if (!is.null(keys) && length(keys) != length(values)) {
      fail("partition-invalid", sprintf("The table has the partition keys %s", toString(keys)), "Give a value for each.")
    }
  }
  paste(if (is.null(keys)) values else paste0(keys, "=", values), collapse = "/")
}

partition_values <- function(partitions) {
  values <- vapply(as.list(partitions), function(each) if (is.numeric(each)) sprintf("%.0f", each) else as.character(each), "")
  is_named <- !is.null(names(values)) && all(nzchar(names(values)))
  if (length(values) == 0 || anyNA(values) || (!is.null(names(values)) && !is_named)) {
    fail("partition-invalid", "Which partition is meant is not said", "Give its values: partitions = \"2016\", or c(year = 2026, country = \"de\").")
  }
  values
}

# RFC 3339: of a POSIXct, or text as it is.
instant_text <- function(at) {
  if (is.null(at) || is.character(at)) return(at)
  if (inherits(at, "POSIXt")) return(timestamp_text(.POSIXct(floor(as.numeric(as.POSIXct(at)) * 1000) / 1000, "UTC")))
  fail("instant-invalid", sprintf("A %s is no instant", class(at)[1]), "Give a POSIXct, or text: 2026-06-30T06:00:00Z.")
}
