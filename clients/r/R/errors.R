# What goes wrong is a condition of class `millrace_error`, with the code that decides and what to do next: code reads fields, never messages.

fail <- function(code, what, next_step, ...) {
  stop(structure(
    class = c(paste0("millrace_", code), "millrace_error", "error", "condition"),
    list(message = paste0(what, " (", code, "). ", next_step), call = NULL, code = code, next_step = next_step, ...)
  ))
}

row_invalid <- function(name, type, why) {
  fail("row-invalid", sprintf("The column \"%s\" is not %s: %s", name, type, why), "Give the column its type; what is missing is NA.")
}

part_differs <- function(what) {
  fail("part-differs", what, "Read it again; if it stays, `millrace table verify` says what is wrong with the batch.")
}
