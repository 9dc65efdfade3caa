types <- function() unlist(expected()$columns)

test_that("files of TypeScript and of pyarrow have the values they have there", {
  for (name in c("typescript.parquet", "pyarrow.parquet")) {
    piece <- read_parquet(types(), read_fixture(name))
    expect_identical(piece$rows, as.numeric(expected()$rows), info = name)
    expect_identical(sf_checksum(as_rows(piece), types()), expected()$checksum, info = name)
  }
})

test_that("only the columns that are asked for are read", {
  piece <- read_parquet(types()[c("x", "id")], read_fixture("typescript.parquet"))
  expect_named(piece$data, c("x", "id"))
})

test_that("a column of another type, or none, is refused", {
  bytes <- read_fixture("typescript.parquet")
  for (wrong in list(c(id = "int64"), c(words = "string"), c(x = "list<double>"), c(y = "double"), c(counts = "list<int64>"))) {
    expect_error(read_parquet(wrong, bytes), class = "millrace_part-differs", info = names(wrong))
  }
})

test_that("without bit64 an integer that a double does not hold is an error, never another number", {
  before <- options(millrace.bit64 = FALSE)
  on.exit(options(before))
  expect_error(read_parquet(c(n = "int64"), read_fixture("typescript.parquet")), class = "millrace_bit64-needed")
})

test_that("the integer that bit64 takes for NA is an error, never null", {
  least <- as.raw(c(rep(0, 7), 0x80))
  expect_error(.Call(C_read_int64, least, 1L, TRUE), "int64-least")
  said <- expect_error(loops_failed(simpleError("int64-least: an integer is -2^63"), "A Parquet file"), "A Parquet file", class = "millrace_int64-least")
  expect_match(said$next_step, "columns=")
})

test_that("through arrow, too, that integer is an error, alone and inside of lists and maps", {
  skip_if_not_installed("bit64")
  one <- bit64::as.integer64(c("7", NA))
  # As arrow says how many are null: it knows, where bit64 takes the least for NA.
  nulls <- list(null_count = 1L)
  inside <- list(chunks = list(list(values = function() nulls, items = function() nulls), list(values = function() nulls, items = function() nulls)))
  for (each in list(list("scalar", nulls, 1L), list("list", inside, 2L), list("map", inside, 2L))) {
    expect_equal(arrow_nulls(each[[2]], each[[1]]), each[[3]], info = each[[1]])
  }
  expect_silent(refuse_least(one, 1L, "n"))
  expect_silent(refuse_least(list(one, NULL, one), 2L, "n"))
  expect_error(refuse_least(one, 0L, "n"), "\"n\"", class = "millrace_int64-least")
  expect_error(refuse_least(list(one, NULL, one), 1L, "n"), class = "millrace_int64-least")
})

test_that("bytes that are damaged are an error or other values, and never the end of R", {
  bytes <- read_fixture("typescript.parquet")
  set.seed(7)
  for (round in 1:150) {
    damaged <- bytes
    at <- sample(length(bytes), 4)
    damaged[at] <- as.raw(sample(0:255, 4, replace = TRUE))
    result <- suppressWarnings(tryCatch(read_parquet(types(), damaged), error = identity))
    expect_true(inherits(result, "error") || is.list(result$data))
  }
  for (length in c(0, 4, 11, 12, 100, length(bytes) - 1)) {
    expect_error(read_parquet(types(), bytes[seq_len(length)]), class = "millrace_part-differs")
  }
})

test_that("what is beyond the package's own reader says what to install", {
  skip_if(requireNamespace("arrow", quietly = TRUE), "arrow reads it")
  expect_error(read_parquet(types(), read_fixture("zstd.parquet")), "Install arrow", class = "millrace_parquet-beyond")
})

test_that("arrow and nanoparquet get what they make the catalogue's types of", {
  expect_identical(for_package(list(list(a = 1L), NULL), "json"), c("{\"a\":1}", NA))
  expect_identical(for_package(list(c(a = 1, b = NA), NULL), "map<string,double>"), list(data.frame(key = c("a", "b"), value = c(1, NA)), NULL))
  expect_identical(from_package(list(data.frame(key = "a", value = 1.5), NULL), "map<string,double>", "x"), list(c(a = 1.5), NULL))
  expect_identical(from_package(c("{\"a\":[1]}", NA), "json", "x"), list(list(a = list(1L)), NULL))
  expect_identical(from_package(list("a", character(), NULL), "list<string>", "x"), list("a", character(), NULL))
})

test_that("a file that arrow or nanoparquet wrote is read back", {
  for (write in c(if (requireNamespace("arrow", quietly = TRUE)) write_arrow_parquet, if (requireNamespace("nanoparquet", quietly = TRUE)) write_nanoparquet)) {
    flat <- c(id = "string", x = "double", ok = "boolean", at = "timestamp")
    data <- list(id = c("a", NA), x = c(0.1, NA), ok = c(TRUE, NA), at = .POSIXct(c(0.001, NA), "UTC"))
    expect_equal(read_own_parquet(flat, write(flat, data))$data, data)
  }
  succeed()
})

test_that("a table of Parquet cannot be written without a package for it, and says which", {
  skip_if(can_write_parquet(), "it can be here")
  expect_error(part_writer("parquet"), "arrow", class = "millrace_parquet-needed")
  expect_error(part_writer("orc"), class = "millrace_format-unknown")
})
