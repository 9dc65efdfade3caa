# The lines are those of test/catalog/values-checksum.test.ts.
types <- c(id = "string", at = "timestamp", n = "int64", x = "double", ok = "boolean", list = "list<string>", map = "map<string,int64>", j = "json")

rows <- function() {
  data <- data.frame(id = c("b", "\\N\t\r\n", ""), at = .POSIXct(c(1, NA, NA), "UTC"), x = c(0.1, -0, NA), ok = c(TRUE, FALSE, NA))
  data$n <- bit64::as.integer64(c("1152921504606846976", "-1", NA))
  data$list <- list(c("a,\"", NA), character(), NULL)
  data$map <- list(c("\u00fc" = 1L, b = NA), integer(), NULL)
  data$j <- list(list(b = list(1, NULL), a = "x"), "\\N", NULL)
  data[names(types)]
}

test_that("has one line of text for a row", {
  skip_if_not_installed("bit64")
  data <- rows()
  texts <- lapply(names(types), function(name) value_texts(as_column(data[[name]], types[[name]], name), types[[name]]))
  expect_identical(do.call(paste, c(texts, sep = "\t")), c(
    "b\t1000\t1152921504606846976\t3fb999999999999a\ttrue\t[\"a,\\\"\",\\N]\t{\"b\":\\N,\"\u00fc\":1}\t{\"a\":\"x\",\"b\":[3ff0000000000000,\\N]}",
    "\\\\N\\t\\r\\n\t\\N\t-1\t8000000000000000\tfalse\t[]\t{}\t\"\\\\N\"",
    "\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N"
  ))
})

test_that("is the same whatever the order of rows and columns, and another one of other values", {
  skip_if_not_installed("bit64")
  sum <- sf_checksum(rows(), types)
  expect_identical(sf_checksum(rows()[3:1, rev(names(types))], types), sum)
  expect_false(sf_checksum(rows()[2:3, ], types) == sum)
})

test_that("sorts lines by their bytes", {
  lines <- c("\U1F600", "\uFFFD")
  expect_identical(sf_checksum(data.frame(id = lines)), hex_sha256(charToRaw(enc2utf8("id\n\uFFFD\n\U1F600\n"))))
})
