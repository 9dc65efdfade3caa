test_that("names that would be another path are refused", {
  for (wrong in list("a/b", "a.b", "", NA, c("a", "b"), "A")) expect_error(table_path(wrong, "x"), class = "millrace_name-invalid")
  expect_identical(table_path("team", "scores", "/batch"), "/team.scores/batch")
})

test_that("an instant is text of RFC 3339, never later than it was", {
  expect_identical(instant_text(.POSIXct(1.0009, "UTC")), "1970-01-01T00:00:01Z")
  expect_identical(instant_text("2026-06-30T06:00:00Z"), "2026-06-30T06:00:00Z")
  expect_error(instant_text(5), class = "millrace_instant-invalid")
})
