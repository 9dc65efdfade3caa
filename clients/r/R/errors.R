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

LEAVE_OUT_NEXT <- "Read it with Python or SQL, or leave the column out with columns=."
PART_DIFFERS_NEXT <- "Read it again; if it stays, `millrace table verify` says what is wrong with the batch."

part_differs <- function(what) fail("part-differs", what, PART_DIFFERS_NEXT)

# The loops in C say a code, a colon and what is wrong.
loops_failed <- function(error, subject) {
  said <- regmatches(conditionMessage(error), regexec("^(part-differs|text-has-zero|bit64-needed|int64-least): (.*)$", conditionMessage(error)))[[1]]
  if (length(said) == 0) stop(error)
  next_step <- switch(said[2], `bit64-needed` = "Install bit64 (Debian: r-cran-bit64).",
    `text-has-zero` = , `int64-least` = LEAVE_OUT_NEXT, PART_DIFFERS_NEXT
  )
  fail(said[2], paste0(subject, " cannot be read: ", said[3]), next_step)
}
