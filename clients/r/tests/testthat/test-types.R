test_that("types follow from the values", {
  data <- list(
    string = c("a", NA), string = factor("a"), string = c(NA, NA), int64 = 1:2, double = c(1, 2), boolean = c(TRUE, NA),
    timestamp = .POSIXct(0, "UTC"), `list<string>` = list("a", c("b", NA)), `list<double>` = list(1, NULL), `list<int64>` = list(1L, integer()),
    `list<double>` = list(1L, 2.5), `map<string,double>` = list(c(a = 1), c(b = NA)), json = list(list(1, "a")), json = list(NULL, list()),
    json = list("a", 1), json = list(c(a = 1), 2)
  )
  for (index in seq_along(data)) expect_identical(type_of("x", data[[index]]), names(data)[index], info = paste(index))
})

test_that("what the catalogue does not have is refused with the column's name", {
  for (value in list(as.Date("2026-01-01"), as.difftime(1, units = "secs"), 1i, raw(1))) {
    expect_error(type_of("when", value), "when", class = "millrace_column-invalid")
  }
})

test_that("no value becomes another one silently", {
  refused <- list(
    int64 = 1.5, int64 = 2^53, int64 = Inf, int64 = "1", double = Inf, double = NaN, double = "1", boolean = 1L, string = 1,
    timestamp = 5, timestamp = .POSIXct(0.0001, "UTC"), timestamp = .POSIXct(253402300800, "UTC"), timestamp = .POSIXct(Inf, "UTC"),
    `list<double>` = list("a"), `list<double>` = 1, `map<string,double>` = list(1), `map<string,double>` = list(c(a = 1, a = 2)),
    `list<int64>` = list(list(1L)), string = "\xff"
  )
  for (index in seq_along(refused)) {
    expect_error(as_column(refused[[index]], names(refused)[index], "x"), class = "millrace_row-invalid", info = paste(index))
  }
})

test_that("a type that is none is refused", {
  for (type in c("text", "list<text>", "map<int64,string>", "map<double>", "list<string,double>", "")) {
    expect_error(type_shape(type), class = "millrace_column-invalid", info = type)
  }
  expect_identical(type_shape("map<string,int64>"), list(kind = "map", of = "int64"))
})

test_that("instants are kept to the millisecond, whatever their double is", {
  ms <- c(0, -1, 1767323045678, 253402300799999, -62167219200000)
  expect_identical(ms_of_instants(as_column(instants_of_ms(ms), "timestamp", "x")), ms)
})
