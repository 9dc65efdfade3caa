test_that("values of every type come back as they were", {
  values <- list(
    string = c("\u00e4\"\\\n\u0001\U1F600", "", NA), double = c(0.1, 1 / 3, 5e-324, .Machine$double.xmax, 1e21, NA), boolean = c(TRUE, FALSE, NA),
    timestamp = .POSIXct(c(1767323045.678, -0.001, -62167219200, NA), "UTC"), `list<string>` = list(c("a", NA), character(), NULL),
    `list<timestamp>` = list(.POSIXct(c(0.001, NA), "UTC"), .POSIXct(numeric(), "UTC"), NULL),
    `map<string,boolean>` = list(c(`a"` = TRUE, b = NA), NULL), json = list(list(a = list(1L, NULL), b = "x"), list(), NULL, "text", 1.5)
  )
  for (type in names(values)) expect_equal(round_trip(values[[type]], type), values[[type]], tolerance = 0, info = type)
  expect_identical(1 / round_trip(-0, "double"), -Inf)
})

test_that("integers beyond 2^53 are decimal text, and exact with bit64", {
  skip_if_not_installed("bit64")
  texts <- c("9223372036854775807", "-9223372036854775807", "9007199254740993", "-1", NA)
  expect_identical(as.character(round_trip(bit64::as.integer64(texts), "int64")), texts)
  written <- rawToChar(memDecompress(write_ndjson(c(x = "int64"), list(x = bit64::as.integer64(texts[3:4]))), "gzip"))
  expect_identical(written, "{\"x\":\"9007199254740993\"}\n{\"x\":-1}\n")
})

test_that("without bit64 an integer that a double does not hold is an error, never another number", {
  before <- options(millrace.bit64 = FALSE)
  on.exit(options(before))
  expect_identical(round_trip(c(1, NA, -2^52), "int64"), c(1, NA, -2^52))
  expect_error(read_ndjson(c(x = "int64"), gzip("{\"x\":\"9007199254740993\"}\n")), class = "millrace_bit64-needed")
  expect_error(as_column(structure(0, class = "integer64"), "int64", "x"), class = "millrace_bit64-needed")
})

test_that("a part that TypeScript wrote has the values it has there", {
  types <- unlist(expected()$columns)
  piece <- read_ndjson(types, read_fixture("typescript.ndjson.gz"))
  expect_identical(piece$rows, expected()$rows)
  expect_identical(sf_checksum(as_rows(piece), types), expected()$checksum)
})

test_that("times are read with any offset, finer fractions cut off", {
  texts <- c("2026-01-02T03:04:05Z", "2026-01-02t04:04:05.6789+01:00", "2026-01-01 22:34:05.06-04:30", NA)
  expect_identical(ms_of_instants(instants_of_text(texts, "x")), c(1767323045000, 1767323045678, 1767323045060, NA))
  for (wrong in c("2026-01-02", "2026-13-02T03:04:05Z", "noon", "2026-01-02T03:04:05")) {
    expect_error(instants_of_text(wrong, "x"), class = "millrace_part-differs", info = wrong)
  }
})

test_that("a part that is not what its columns say is refused", {
  lines <- c("{\"x\":\"a\"}", "[1]", "{", "{\"x\":true}", "{\"x\":1.5}", "{\"x\":1e30}", "{\"x\":\"99999999999999999999\"}", "{\"x\":9007199254740992}", "{\"x\":\"9223372036854775808\"}")
  for (line in lines) expect_error(read_ndjson(c(x = "int64"), gzip(paste0(line, "\n"))), class = "millrace_part-differs", info = line)
  expect_error(read_ndjson(c(x = "list<double>"), gzip("{\"x\":{\"a\":1}}\n")), class = "millrace_part-differs")
  expect_error(read_ndjson(c(x = "double"), gzip("{\"x\":1e400}\n")), class = "millrace_part-differs")
})

test_that("a text that R cannot hold is an error, where R's parser would cut it", {
  expect_error(read_ndjson(c(x = "string"), gzip("{\"x\":\"a\\u0000b\"}\n")), class = "millrace_text-has-zero")
  expect_identical(read_ndjson(c(x = "string"), gzip("{\"x\":\"a\\\\u0000b\"}\n"))$data$x, "a\\u0000b")
})

test_that("a part of no rows has its columns", {
  expect_identical(read_ndjson(c(x = "double"), write_ndjson(c(x = "double"), list(x = numeric()))), list(rows = 0L, data = list(x = numeric())))
})

test_that("half a character is an error, where R's parser would make ? of it", {
  lone <- c("\"\\ud800\"", "\"a\\uD83Db\"", "\"\\ude00\"", "\"\\ude00\\ud83d\"", "\"\\ud83d\\\\\\ude00\"", "{\"\\udfff\":1}", "\"\\ud83d\\ud83d\\ude00\"")
  for (value in lone) {
    expect_error(read_ndjson(c(x = "json"), gzip(sprintf("{\"x\":%s}\n", value))), class = "millrace_text-has-surrogate", info = value)
    expect_error(parse_json_texts(c(NA, value)), class = "millrace_text-has-surrogate", info = value)
  }
  whole <- c("\"\\ud83d\\uDE00\"" = "\U1F600", "\"\\\\ud800\"" = "\\ud800", "\"\\ud7ff\\ue000\"" = "\ud7ff\ue000")
  for (value in names(whole)) {
    expect_identical(read_ndjson(c(x = "string"), gzip(sprintf("{\"x\":%s}\n", value)))$data$x, whole[[value]])
    expect_identical(parse_json_texts(value), list(whole[[value]]))
  }
})

test_that("bytes that are no UTF-8 are an error", {
  bytes <- c(charToRaw("{\"x\":\""), as.raw(c(0xed, 0xa0, 0x80)), charToRaw("\"}\n"))
  expect_error(parse_lines(bytes), class = "millrace_part-differs")
})
