answer <- function(status) list(status_code = status, content = charToRaw("{}"))
after <- function(answers) {
  tries <- 0
  waits <- c()
  result <- tryCatch(with_tries(function() {
    tries <<- tries + 1
    given <- answers[[min(tries, length(answers))]]
    if (is.character(given)) stop(given)
    answer(given)
  }, function(seconds) waits <<- c(waits, seconds)), error = identity)
  list(tries = tries, waits = waits, result = result)
}

test_that("what passes is tried again, and what does not is not", {
  expect_identical(after(list(503, "reset", 200))$result$status_code, 200)
  expect_identical(after(list(503, "reset", 200))$tries, 3)
  expect_identical(after(list(409))$tries, 1)
  expect_identical(after(list(503))$result$status_code, 503)
  expect_s3_class(after(list("refused"))$result, "millrace_no-answer")
  expect_true(all(diff(after(list(503))$waits) > 0))
})

test_that("an error of the API is a condition with its code and its next step", {
  error <- expect_error(refused(409, list(code = "already-current", detail = "It is.", `next` = "Nothing."), "POST"), class = "millrace_already-current")
  expect_identical(error$next_step, "Nothing.")
  expect_identical(error$status, 409)
  expect_error(refused(403, list(message = "Forbidden"), "GET"), class = "millrace_not-allowed")
  expect_error(refused(502, NULL, "GET"), class = "millrace_http-502")
})

with_environment <- function(values, code) {
  names <- c("MILLRACE_API", "MILLRACE_TOKEN", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION")
  before <- Sys.getenv(names)
  on.exit(do.call(Sys.setenv, as.list(before)))
  Sys.unsetenv(names)
  if (length(values) > 0) do.call(Sys.setenv, as.list(values))
  code
}

test_that("the endpoint is an argument, MILLRACE_API, or the local cloud's, in this order", {
  with_environment(c(MILLRACE_API = "https://api/prod/", AWS_ENDPOINT_URL = "http://127.0.0.1:4566"), {
    expect_identical(connection_of()[c("origin", "host", "base")], list(origin = "https://api", host = "api", base = "/prod"))
    expect_identical(connection_of("http://other:80")$host, "other:80")
  })
  with_environment(c(AWS_ENDPOINT_URL = "http://127.0.0.1:4566"), expect_identical(connection_of()$host, "127.0.0.1:4566"))
  with_environment(c(), expect_error(connection_of(), class = "millrace_endpoint-unknown"))
  with_environment(c(MILLRACE_API = "api"), expect_error(connection_of(), class = "millrace_endpoint-invalid"))
})

test_that("requests are signed for the region in the host's name, else the environment's", {
  keys <- c(AWS_ACCESS_KEY_ID = "a", AWS_SECRET_ACCESS_KEY = "b", AWS_REGION = "us-west-2")
  with_environment(keys, {
    expect_identical(connection_of("https://x1.execute-api.eu-west-1.amazonaws.com")$credentials$region, "eu-west-1")
    expect_identical(connection_of("https://api.example.org")$credentials$region, "us-west-2")
  })
  with_environment(c(), expect_null(connection_of("https://api.example.org")$credentials))
})

test_that("a part that did not come with the others is asked for by itself", {
  nobody <- paste0("http://127.0.0.1:1/", 1:3)
  expect_identical(get_all(nobody, again = function(url) paste("again", url)), as.list(paste("again", nobody)))
})
