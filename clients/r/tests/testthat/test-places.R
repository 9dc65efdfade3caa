test_that("partitions are values, named or not", {
  expect_identical(partition_name(NULL, "team", "x", c(year = 2026, country = "de")), "year=2026/country=de")
  expect_identical(partition_name(NULL, "team", "x", "day=2026-06-30"), "day=2026-06-30")
  expect_null(partition_name(NULL, "team", "x", NULL))
  expect_identical(partition_values(list(2016L, "de")), c("2016", "de"))
  for (wrong in list(character(), NA, c(a = 1, 2))) expect_error(partition_values(wrong), class = "millrace_partition-invalid")
})

test_that("names that would be another path are refused", {
  for (wrong in list("a/b", "a.b", "", NA, c("a", "b"), "A")) expect_error(table_path(wrong, "x"), class = "millrace_name-invalid")
  expect_identical(table_path("team", "scores", "/batch"), "/team.scores/batch")
})

test_that("an instant is text of RFC 3339, never later than it was", {
  expect_identical(instant_text(.POSIXct(1.0009, "UTC")), "1970-01-01T00:00:01Z")
  expect_identical(instant_text("2026-06-30T06:00:00Z"), "2026-06-30T06:00:00Z")
  expect_error(instant_text(5), class = "millrace_instant-invalid")
})

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
