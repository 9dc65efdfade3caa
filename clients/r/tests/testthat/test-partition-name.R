named_by <- function(keys, partitions) partition_of(keys, partition_values(partitions))

test_that("a value for each key, in order or by key, is one name", {
  keys <- c("year", "country")
  for (given in list(c(year = 2026, country = "de"), c(country = "de", year = 2026), c(2026, "de"), list(2026L, factor("de")), data.frame(year = 2026, country = "de"))) {
    expect_identical(named_by(keys, given), "year=2026/country=de")
  }
  expect_identical(named_by("day", as.Date("2026-06-30")), "day=2026-06-30")
  expect_identical(named_by(NULL, c("2016", "de")), "2016/de")
  expect_identical(named_by(NULL, "day=2026-06-30"), "day=2026-06-30")
  expect_null(partition_name(NULL, "team", "x", NULL))
})

test_that("a value that is given as key=value of its own key is that value, and a name is what it names", {
  expect_identical(named_by("year", "year=2016"), "year=2016")
  expect_identical(named_by("year", "2016"), "year=2016")
  expect_identical(named_by(c("year", "country"), c(year = "year=2016", country = "de")), "year=2016/country=de")
  expect_identical(named_by(c("year", "country"), "year=2016/country=de"), "year=2016/country=de")
  expect_identical(named_by(NULL, "year=2016/country=de"), "year=2016/country=de")
  expect_identical(named_by("label", "a=b"), "label=a=b")
  for (wrong in list(c("country=de", "year=2016"), c("2016", "year=de"))) {
    expect_error(named_by(c("year", "country"), wrong), class = "millrace_partition-invalid", info = toString(wrong))
  }
})

test_that("a whole number is that integer, whatever its type", {
  skip_if_not_installed("bit64")
  for (whole in list(2016, 2016L, bit64::as.integer64(2016), list(bit64::as.integer64(2016)))) expect_identical(named_by("year", whole), "year=2016")
  expect_identical(named_by("n", -0), "n=0")
  expect_identical(named_by("n", 2^53 - 1), "n=9007199254740991")
  expect_identical(named_by("n", bit64::as.integer64("9007199254740993")), "n=9007199254740993")
  expect_error(named_by("n", bit64::NA_integer64_), class = "millrace_partition-invalid")
})

test_that("what is no text and no whole number is refused, and never becomes another name", {
  wrong <- list(
    NA, NA_real_, NA_integer_, NA_character_, NaN, Inf, 2016.5, 2^53, "", "year=", "a/b", "a#b", TRUE, character(), NULL, list(NULL), list(1:2),
    list(list(2016)), factor(NA), as.Date(NA), .POSIXct(0, "UTC"), 1i, c("2016", NA), c(2016, NaN)
  )
  for (each in wrong) expect_error(named_by("year", each), class = "millrace_partition-invalid", info = deparse(each)[1])
  for (each in list("", "year=", "a/b", "a#b", 2016.5)) expect_error(named_by(NULL, each), class = "millrace_partition-invalid", info = deparse(each))
  expect_error(named_by("year", c(year = NA_real_)), "\"year\" is NA", class = "millrace_partition-invalid")
})

test_that("values that do not fit the keys are refused", {
  for (wrong in list(c(1, 2), c(month = 1), c(year = 1, 2), c(year = 1, year = 2))) {
    expect_error(named_by("year", wrong), class = "millrace_partition-invalid", info = deparse(wrong))
  }
  expect_error(named_by(NULL, c(year = 2016)), "without names", class = "millrace_partition-invalid")
})
