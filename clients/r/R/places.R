# Tables by name, and instants: a namespace is a database of the catalogue, a resource is a table.

table_path <- function(namespace, resource, route = "") {
  for (each in list(namespace, resource)) {
    if (!is.character(each) || length(each) != 1 || !grepl("^[a-z0-9_-]+$", each)) {
      fail("name-invalid", sprintf("\"%s\" is no name of a namespace or a resource", toString(each)), "Use small letters, digits, - and _.")
    }
  }
  paste0("/", namespace, ".", resource, route)
}

# RFC 3339: of a POSIXct, or text as it is.
instant_text <- function(at) {
  if (is.null(at) || is.character(at)) return(at)
  if (inherits(at, "POSIXt")) return(timestamp_text(.POSIXct(floor(as.numeric(as.POSIXct(at)) * 1000) / 1000, "UTC")))
  fail("instant-invalid", sprintf("A %s is no instant", class(at)[1]), "Give a POSIXct, or text: 2026-06-30T06:00:00Z.")
}
