folder <- Sys.getenv("MILLRACE_TEST_FOLDER")
facts <- jsonlite::fromJSON(file.path(folder, "facts.json"))
written <- list()

# Kept for TypeScript, which reads the same place and compares.
stored <- function(data, resource, partitions, ..., columns = NULL) {
  batch <- sf_writer(data = data, namespace = "team", resource = resource, partitions = partitions, columns = columns, who = "ana", why = "a test", ...)
  read <- sf_reader(namespace = "team", resource = resource, partitions = partitions)
  place <- paste0("team.", resource, "/", attr(read, "millrace")$partition)
  written[[place]] <<- sf_checksum(read)
  jsonlite::write_json(written, file.path(folder, "written.json"), auto_unbox = TRUE)
  list(batch = batch, read = read)
}

test_that("last night's snapshot has the values that TypeScript reads", {
  users <- sf_reader(namespace = "shop", resource = "users")
  expect_identical(nrow(users), facts$users)
  expect_identical(attr(users, "millrace")$partition, facts$snapshot$partition)
  expect_identical(sf_checksum(users), facts$snapshot$checksum)
  expect_type(users$user_id, "character")
  expect_s3_class(users$as_of, "POSIXct")
})

test_that("every column type is read alike from Parquet, JSON and CSV, over several parts", {
  for (resource in c("typed", "texts", "commas")) {
    read <- sf_reader(namespace = "team", resource = resource, partitions = "2016")
    expect_identical(nrow(read), facts$typed$rows)
    expect_identical(sf_checksum(read), facts$typed$checksum)
  }
  expect_identical(format(read$n[1]), "1152921504606846976")
  expect_identical(read$words[[1]], c("a,\"", NA))
  expect_null(read$words[[3]])
})

test_that("some columns of a batch are those columns", {
  read <- sf_reader(namespace = "team", resource = "typed", columns = c("x", "id"))
  expect_named(read, c("x", "id"))
  expect_error(sf_reader(namespace = "team", resource = "typed", columns = "y"), class = "millrace_column-not-found")
})

exact <- data.frame(id = c("\u00e4", "\"\\\n", NA), x = c(0.1, -0, NA), ok = c(TRUE, FALSE, NA), kind = factor(c("low", "high", NA)))
exact$at <- .POSIXct(c(1767323045.678, NA, NA), "UTC")
exact$n <- bit64::as.integer64(c("1152921504606846976", "-7", NA))
exact$words <- list(c("a", NA), character(), NULL)
exact$counts <- list(c(b = 1L), integer(), NULL)
exact$j <- list(list(a = 1:2, b = "x"), list(), NULL)

test_that("what is stored is what is read, null by null", {
  result <- stored(exact, "from_r", "exact", columns = list(counts = "map<string,int64>"))
  commas <- stored(exact, "commas_from_r", "exact", columns = list(counts = "map<string,int64>"), format = "csv.gz")
  expect_equal(commas$read, result$read, ignore_attr = "millrace")
  expect_identical(attr(result$read, "millrace")$batch_id, result$batch$batch_id)
  expect_identical(result$read$id, exact$id)
  expect_identical(as.numeric(result$read$at), as.numeric(exact$at))
  expect_identical(result$read$n, exact$n)
  expect_identical(result$read$kind, c("low", "high", NA))
  expect_identical(result$read$words, exact$words)
  expect_identical(sign(1 / result$read$x[2]), -1)
})

test_that("numbers keep their last bit, over several parts", {
  before <- options(millrace.part_rows = 1000)
  on.exit(options(before))
  set.seed(1)
  many <- data.frame(i = seq_len(2510L), x = c(runif(2500), exp(seq(-700, 709, length.out = 10))))
  result <- stored(many, "numbers", c(year = 2026, country = "de"), partition_keys = c("year", "country"))
  expect_identical(attr(result$read, "millrace")$partition, "year=2026/country=de")
  expect_identical(result$read$x, many$x)
  again <- sf_reader(namespace = "team", resource = "numbers", partitions = c(2026, "de"), columns = "i")
  expect_identical(as.integer(again$i), many$i)
})

test_that("year=2016 of a table whose key is year means 2016, to who stores and to who reads", {
  stored(data.frame(v = 1), "yearly", 2016, partition_keys = "year")
  for (given in list("year=2016", "2016", c(year = 2016), 2016L, bit64::as.integer64(2016), "year=2016")) {
    result <- stored(data.frame(v = 2), "yearly", given, partition_keys = "year")
    expect_identical(result$batch$partition, "year=2016")
    expect_identical(result$read$v, 2)
  }
  expect_identical(nrow(sf_history("team", "yearly", "year=2016")), 7L)
  for (wrong in list(NA_real_, NaN, 2016.5, "", "year=", c(year = NA))) {
    expect_error(sf_writer(data.frame(v = 3), "team", "yearly", wrong), class = "millrace_partition-invalid")
    expect_error(sf_reader("team", "yearly", wrong), class = "millrace_partition-invalid")
  }
  expect_identical(sf_reader("team", "yearly")$v, 2)
  expect_error(sf_writer(data.frame(v = 3), "team", "yearless", 2016.5, partition_keys = "year"), class = "millrace_partition-invalid")
  expect_error(sf_reader("team", "yearless"), class = "millrace_table-not-found")
  two <- stored(data.frame(v = 4), "two_keys", c(country = "de", year = 2026), partition_keys = c("year", "country"))$batch
  expect_identical(sf_reader("team", "two_keys", two$partition)$v, 4)
})

test_that("a batch that is purged while it is read is said to be purged, by whom and why; a URL that has run out is asked for anew", {
  error <- expect_error(sf_reader("team", "going", "2016"), class = "millrace_batch-purged")
  expect_match(conditionMessage(error), "purged by ana: nobody reads it")
  expect_identical(sf_reader("team", "old_urls", "2016")$id, facts$old)
  expect_error(sf_reader("team", "never_there", "2016"), class = "millrace_part-not-got")
})

test_that("a table gets columns and keeps those that a data frame does not have", {
  stored(data.frame(a = 1:2), "growing", "x")
  result <- stored(data.frame(b = c("p", NA), a = c(3, 4)), "growing", "x")
  expect_named(result$read, c("a", "b"))
  expect_identical(as.integer(result$read$a), 3:4)
  result <- stored(data.frame(b = "q"), "growing", "x")
  expect_identical(is.na(result$read$a), TRUE)
  expect_error(sf_writer(data.frame(a = "text"), "team", "growing", "x"), class = "millrace_row-invalid")
})

test_that("a data frame of no rows is a batch of no rows", {
  result <- stored(exact[0, c("id", "n", "at", "words")], "empty", "x")
  expect_identical(dim(result$read), c(0L, 4L))
  expect_s3_class(result$read$at, "POSIXct")
})

test_that("history, an earlier batch by its ID and by time, and a rollback", {
  first <- stored(data.frame(v = 1), "rolled", "2016")$batch
  second <- stored(data.frame(v = 2), "rolled", "2016")$batch
  expect_identical(sf_reader("team", "rolled", "2016", batch_id = first$batch_id)$v, 1)
  history <- sf_history(namespace = "team", resource = "rolled", partitions = "2016")
  expect_identical(history$batch_id, c(second$batch_id, first$batch_id))
  expect_identical(history$why, c("a test", "a test"))
  expect_identical(sf_reader("team", "rolled", as_of = history$at[2])$v, 1)
  back <- sf_rollback("team", "rolled", "2016", to = first$batch_id, why = "the second was wrong")
  expect_identical(back$number, 3L)
  expect_identical(sf_reader("team", "rolled")$v, 1)
  expect_identical(sf_history("team", "rolled")$kind, c("rollback", "commit", "commit"))
  written[["team.rolled/2016"]] <<- sf_checksum(data.frame(v = 1))
  jsonlite::write_json(written, file.path(folder, "written.json"), auto_unbox = TRUE)
})

test_that("what goes wrong has the catalogue's code and the next step", {
  error <- expect_error(sf_reader("team", "never"), class = "millrace_table-not-found")
  expect_true(nzchar(error$next_step))
  expect_error(sf_reader("team", "never", "2016"), class = "millrace_table-not-found")
  expect_error(sf_reader("team", "typed", batch_id = "1"), class = "millrace_batch-id-invalid")
  expect_error(sf_reader("team", "typed", "2016", anchor = "nobody"), class = "millrace_anchor-not-found")
  expect_error(sf_writer(data.frame(a = 1), "models", "mine", "x"), class = "millrace_table-reserved")
  expect_error(sf_writer(data.frame(a = 1), "team", "numbers", "x"), class = "millrace_partition-invalid")
})

test_that("a table of Parquet is written where a package for that is, and nowhere else", {
  if (requireNamespace("arrow", quietly = TRUE)) {
    expect_identical(nrow(stored(data.frame(id = "r"), "typed", "r")$read), 1L)
  } else {
    expect_error(sf_writer(data.frame(id = "r"), "team", "typed", "r"), class = "millrace_parquet-needed")
  }
})

test_that("a token is enough, and without anything nobody is let in", {
  keys <- c("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
  before <- Sys.getenv(keys)
  on.exit(do.call(Sys.setenv, as.list(before)))
  Sys.unsetenv(keys)
  expect_error(sf_reader("team", "typed"), class = "millrace_not-allowed")
  expect_identical(nrow(sf_reader("team", "typed", token = facts$token)), facts$typed$rows)
})
