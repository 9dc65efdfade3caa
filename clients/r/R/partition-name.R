# The name of a partition, by the rule of TypeScript (partition-name.ts) and Python: `year=2026/country=de` of a table with partition keys, for
# values in their order or by key; without keys the values themselves, a slash between. What is no value never becomes another name.

# NULL: the newest.
partition_name <- function(connection, namespace, resource, partitions) {
  if (is.null(partitions)) return(NULL)
  values <- partition_values(partitions)
  table <- call_catalog(connection, "GET", table_path(namespace, resource))
  partition_of(unlist(table$partitionKeys), values)
}

partition_of <- function(keys, values) {
  values <- values_in_order(keys, values)
  paste0(if (!is.null(keys)) paste0(keys, "="), values, collapse = "/")
}

# Texts, with the names that were given. What they are for is not known yet.
partition_values <- function(partitions) {
  values <- if (inherits(partitions, "integer64")) int64_text(partitions) else as.list(partitions)
  if (length(values) == 0) partition_invalid("none was given")
  keys <- names(partitions)
  if (!is.null(keys) && (!all(nzchar(keys)) || anyDuplicated(keys) > 0)) partition_invalid("some have no name of their own")
  what <- if (is.null(keys)) "one" else sprintf("\"%s\"", keys)
  stats::setNames(mapply(value_text, values, what, USE.NAMES = FALSE), keys)
}

value_text <- function(x, what) {
  if (!is.atomic(x) || length(x) != 1) partition_invalid(sprintf("%s is not one value", what))
  if (is_null_int64(x)) partition_invalid(sprintf("%s is NA", what))
  if (is.factor(x) || inherits(x, "Date")) x <- as.character(x)
  if (is.character(x)) return(x)
  if (inherits(x, "integer64")) return(int64_text(x))
  if (is.object(x) || !is.numeric(x)) partition_invalid(sprintf("%s is %s, not text or a whole number", what, class(x)[1]))
  # 2016.5 is no year, and beyond 2^53 the digits are not those that were meant.
  if (x != trunc(x) || abs(x) > INTEGER_EXACT_MAX) partition_invalid(sprintf("%s is %s, which is no whole number; give text", what, format(x, digits = 15)))
  sprintf("%.0f", x + 0)
}

# One for each key, in the order of the keys. A value that is given as `key=value` of its own key is that value.
values_in_order <- function(keys, values) {
  if (!is.null(names(values))) {
    if (is.null(keys)) partition_invalid("the table has no partition keys; give the values without names")
    if (!setequal(names(values), keys)) keys_differ(keys, names(values))
    values <- unname(values[keys])
  } else if (length(values) == 1 && grepl("^[^/=]+=[^/]+(/[^/=]+=[^/]+)+$", values)) {
    # A whole name, as sf_writer gives it back.
    values <- strsplit(values, "/", fixed = TRUE)[[1]]
  }
  if (is.null(keys)) return(vapply(values, plain_value, "", USE.NAMES = FALSE))
  if (length(values) != length(keys)) keys_differ(keys, values)
  vapply(seq_along(keys), function(index) plain_value(values[[index]], keys[index], keys), "")
}

plain_value <- function(value, key = NULL, keys = NULL) {
  what <- if (is.null(key)) "one" else sprintf("\"%s\"", key)
  others <- setdiff(keys, key)
  other <- others[startsWith(value, paste0(others, "=", recycle0 = TRUE))]
  if (length(other) > 0) partition_invalid(sprintf("%s is \"%s\", which is of \"%s\"", what, value, other[1]))
  if (!is.null(key) && startsWith(value, paste0(key, "="))) value <- substring(value, nchar(key) + 2)
  if (!nzchar(value) || (is.null(key) && grepl("^[^=]*=$", value))) partition_invalid(sprintf("%s is empty", what))
  if (grepl("[/#]", value)) partition_invalid(sprintf("%s, \"%s\", has a / or a #", what, value))
  value
}

keys_differ <- function(keys, given) partition_invalid(sprintf("the table has the keys %s, and given was %s", toString(keys), toString(given)))

partition_invalid <- function(why) {
  fail("partition-invalid", paste("These are no values of partition keys:", why), "Give one for each: partitions = \"2016\", or c(year = 2026, country = \"de\").")
}
