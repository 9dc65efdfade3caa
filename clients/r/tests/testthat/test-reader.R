test_that("a part with other bytes than the answer says is refused", {
  bytes <- charToRaw("abc")
  part <- list(name = "part-00000.ndjson.gz", bytes = 3L, sha256 = hex_sha256(bytes))
  expect_identical(checked(part, bytes), bytes)
  expect_error(checked(part, charToRaw("abd")), class = "millrace_part-differs")
  expect_error(checked(part, charToRaw("abcd")), class = "millrace_part-differs")
})

test_that("parts go on where an answer ends, some at once, and URLs that are about to run out are not used", {
  now <- as.numeric(Sys.time()) * 1000
  batch <- list(parts = as.list(letters))
  expect_identical(unlist(parts_at(batch, 0)), letters[1:16])
  expect_identical(unlist(parts_at(batch, 16)), letters[17:26])
  expect_identical(parts_at(batch, 26), list())
  expect_identical(unlist(parts_at(c(batch, first_part = 1000), 1024)), letters[25:26])
  expect_true(urls_hold(list(urlsEndAtMs = now + 3e6)))
  expect_false(urls_hold(list(urlsEndAtMs = now + 1000)))
})

# A batch of one part over HTTP: what the catalogue says when it is asked again, and which URLs answer with bytes.
lines <- gzip("{\"a\":1}\n{\"a\":2}\n")
batch_with <- function(url) list(
  format = "ndjson.gz", rows = 2L, partCount = 1L, urlsEndAtMs = as.numeric(Sys.time()) * 1000 + 3e6,
  parts = list(list(name = "part-00000.ndjson.gz", url = url, bytes = length(lines), rows = 2L, sha256 = hex_sha256(lines)))
)
reading <- function(batch, answers) {
  asked <- got <- character()
  ask_from <- function(first) {
    asked <<- c(asked, first)
    answer <- answers[[min(length(asked), length(answers))]]
    if (is.function(answer)) answer() else c(batch_with(answer), first_part = first)
  }
  get <- function(urls) {
    got <<- c(got, urls)
    if (urls == "good") list(lines) else part_not_got(404)
  }
  result <- tryCatch(read_parts(batch, c(a = "int64"), ask_from, get), error = identity)
  list(asked = asked, got = got, result = result)
}

test_that("a batch that is purged beside a read is said to be so, with the reason", {
  purged <- function() refused(410, list(code = "batch-purged", detail = "Purged by ana: too old", `next` = "Read another."), "GET")
  found <- reading(batch_with("gone"), list(purged))
  expect_s3_class(found$result, "millrace_batch-purged")
  expect_match(conditionMessage(found$result), "ana: too old")
  # Purged only after the second URLs were given.
  expect_s3_class(reading(batch_with("gone"), list("gone", purged))$result, "millrace_batch-purged")
})

test_that("URLs that have run out are asked for anew, once", {
  found <- reading(batch_with("old"), list("good"))
  expect_identical(found$result$rows, 2)
  expect_identical(found$got, c("old", "good"))
  never <- reading(batch_with("old"), list("older"))
  expect_s3_class(never$result, "millrace_part-not-got")
  expect_identical(never$got, c("old", "older"))
  expect_identical(reading(batch_with("good"), list())$asked, character())
})

test_that("a batch with other rows in all than the catalogue says is refused", {
  batch <- utils::modifyList(batch_with("good"), list(rows = 3L))
  expect_s3_class(reading(batch, list())$result, "millrace_part-differs")
})
