test_that("a part that TypeScript wrote has the values it has there, and those of the other formats", {
  types <- unlist(expected()$columns)
  piece <- read_csv(types, read_fixture("typescript.csv.gz"))
  expect_identical(piece$rows, expected()$rows)
  expect_identical(sf_checksum(as_rows(piece), types), expected()$checksum)
  expect_identical(piece$data, read_ndjson(types, read_fixture("typescript.ndjson.gz"))$data)
})

test_that("values of every type come back as they were", {
  values <- list(
    string = c("\u00e4\"\\\n\r\n\u0001\U1F600", "", NA, "a,b", " a", "\\N", "NA", "null"), boolean = c(TRUE, FALSE, NA),
    double = c(0.1, 1 / 3, 5e-324, .Machine$double.xmax, 1e21, -1e20, 123456789012345680000, NA),
    timestamp = .POSIXct(c(1767323045.678, -0.001, -62167219200, NA), "UTC"), `list<string>` = list(c("a,\"", NA), character(), NULL),
    `list<timestamp>` = list(.POSIXct(c(0.001, NA), "UTC"), .POSIXct(numeric(), "UTC"), NULL),
    `map<string,boolean>` = list(c(`a"` = TRUE, b = NA), NULL), json = list(list(a = list(1L, NULL), b = "x\n"), list(), NULL, "text", 1.5)
  )
  for (type in names(values)) expect_equal(csv_round_trip(values[[type]], type), values[[type]], tolerance = 0, info = type)
  expect_identical(1 / csv_round_trip(-0, "double"), -Inf)
})

test_that("it is written as the other clients write it", {
  types <- c(id = "string", x = "double", at = "timestamp", ok = "boolean", sep = "list<string>")
  data <- list(id = c(" a", "", NA, "\u00fc\"\n"), x = c(0.5, -0, NA, 1), at = .POSIXct(c(0.001, NA, NA, 0), "UTC"), ok = c(TRUE, NA, FALSE, NA))
  data$sep <- list(c("a", NA), character(), NULL, "")
  written <- gunzip(write_csv(types, data))
  expect_identical(as_utf8(written), paste0(
    "id,x,at,ok,sep\n\" a\",0.5,1970-01-01T00:00:00.001Z,true,\"[\"\"a\"\",null]\"\n\"\",-0.0,,,[]\n,,,false,\n",
    "\"\u00fc\"\"\n\",1,1970-01-01T00:00:00Z,,\"[\"\"\"\"]\"\n"
  ))
})

test_that("an empty field is null, an empty one in quotes is empty text, and null where the column is no text", {
  expect_identical(csv_of("string", "x\n\n\"\"\na\n"), c(NA, "", "a"))
  expect_identical(csv_of("double", "x\n\n\"\"\n1\n"), c(NA, NA, 1))
  expect_identical(csv_of("json", "x\n\"\"\nnull\n[]\n"), list(NULL, NULL, list()))
  expect_identical(read_csv(c(a = "string", b = "string"), gzip("a,b\n,\n\"\",\n1,"))$data, list(a = c(NA, "", "1"), b = as.character(c(NA, NA, NA))))
})

test_that("lines end as they like, also inside of quotes, and the last one need not", {
  for (end in c("\n", "\r\n", "\r")) {
    piece <- read_csv(c(b = "string", a = "int64"), gzip(paste0("a,b", end, "1,\"x", end, "y\"", end, ",", end, "\"2\",z")))
    expect_identical(piece$rows, 3L)
    expect_identical(piece$data$b, c(paste0("x", end, "y"), NA, "z"))
    expect_identical(as.integer(piece$data$a), c(1L, NA, 2L))
  }
})

test_that("columns are found by their names, whatever their order, and only those that are asked for are read", {
  bytes <- gzip("b,\"a\",zero\n1,x,a\\b\n2,y,\n")
  expect_identical(read_csv(c(a = "string"), bytes), list(rows = 2L, data = list(a = c("x", "y"))))
  expect_identical(read_csv(c(a = "string", b = "double"), bytes)$data, list(a = c("x", "y"), b = c(1, 2)))
  expect_error(csv_of("double", "x,y,x\n1,2,3\n"), "two columns are called \"x\"", class = "millrace_part-differs")
  expect_identical(csv_of("double", "y,x,y\n1,2,3\n"), 2)
  expect_error(read_csv(c(B = "double"), bytes), "line 1: the column \"B\" is not there", class = "millrace_part-differs")
})

test_that("integers beyond 2^53 are exact with bit64, and what is beyond 2^63 is refused", {
  skip_if_not_installed("bit64")
  texts <- c("9223372036854775807", "-9223372036854775807", "9007199254740993", "-1", NA)
  expect_identical(as.character(csv_round_trip(bit64::as.integer64(texts), "int64")), texts)
  expect_identical(as.character(csv_of("int64", "x\n007\n-0\n")), c("7", "0"))
  for (wrong in c("9223372036854775808", "9999999999999999999", "-9223372036854775809")) {
    expect_error(csv_of("int64", paste0("x\n", wrong, "\n")), class = "millrace_part-differs", info = wrong)
  }
  expect_error(csv_of("int64", "x\n-9223372036854775808\n"), class = "millrace_int64-least")
})

test_that("without bit64 an integer that a double does not hold is an error, never another number", {
  before <- options(millrace.bit64 = FALSE)
  on.exit(options(before))
  expect_identical(csv_round_trip(c(1, NA, -2^52), "int64"), c(1, NA, -2^52))
  expect_error(csv_of("int64", "x\n9007199254740993\n"), class = "millrace_bit64-needed")
})

test_that("numbers and flags are read as others write them", {
  expect_identical(csv_of("double", "x\n+1.\n.5\n1E3\n007\n1e-400\n"), c(1, 0.5, 1000, 7, 0))
  expect_identical(1 / csv_of("double", "x\n-0\n"), -Inf)
  # R's own as.double is off by one bit here.
  expect_identical(sprintf("%.17g", csv_of("double", "x\n0.875078443903476832499434617\n")), "0.87507844390347689")
  expect_identical(csv_of("boolean", "x\nTRUE\nFalse\ntrue\n"), c(TRUE, FALSE, TRUE))
  expect_identical(ms_of_instants(csv_of("timestamp", "x\n2026-01-02t04:04:05.6789+01:00\n")), 1767323045678)
})

test_that("a value that is not of its type is refused, with the column's name", {
  wrong <- list(
    int64 = c("1.5", "1e3", "a", " 1", "NA", "12345678901234567890"), double = c("NaN", "Infinity", "-inf", "NA", "1e400", "0x1p3", "1,", "."),
    boolean = c("1", "T", "yes"), timestamp = c("2026-01-02", "noon", "1767323045"), json = c("{", "a", "NaN"), `list<double>` = c("1", "{}", "\"[\"\"a\"\"]\""),
    `map<string,double>` = "[]"
  )
  for (type in names(wrong)) for (text in wrong[[type]]) {
    expect_error(csv_of(type, paste0("x\n", text, "\n")), class = "millrace_part-differs", info = paste(type, text))
  }
  expect_error(csv_of("double", "x\nNaN\n"), "\"x\" is not double", fixed = TRUE)
})

test_that("text that is no CSV is refused, with its line", {
  types <- c(a = "string", b = "string")
  wrong <- c(
    "line 3: 1 fields instead of 2" = "a,b\n1,2\n3\n", "line 2: 3 fields instead of 2" = "a,b\n1,2,\n", "line 2: a quote is never closed" = "a,b\n1,\"2\n3,4\n",
    "line 2: a quote is inside" = "a,b\n1,2\"\"\n", "line 2: text follows" = "a,b\n1,\"2\"3\n", "line 1: the column \"a\"" = "", "line 3: 1 fields" = "a,b\n1,2\n\n"
  )
  for (said in names(wrong)) expect_error(read_csv(types, gzip(wrong[[said]])), said, fixed = TRUE, class = "millrace_part-differs", info = said)
})

test_that("bytes that are no UTF-8 are refused, and a text that R cannot hold is an error of its own", {
  bytes <- function(raw) {
    path <- tempfile()
    on.exit(unlink(path))
    file <- gzfile(path, "wb")
    writeBin(raw, file)
    close(file)
    readBin(path, "raw", file.size(path))
  }
  with_byte <- function(byte) bytes(c(charToRaw("x,y\n1,a"), as.raw(byte), charToRaw("b\n")))
  expect_error(read_csv(c(y = "string"), with_byte(0xff)), class = "millrace_part-differs")
  expect_error(read_csv(c(y = "string"), with_byte(0)), "line 2", class = "millrace_text-has-zero")
  expect_identical(read_csv(c(x = "double"), with_byte(0))$data$x, 1)
  expect_error(csv_of("json", "x\n\"\"\"a\\u0000b\"\"\"\n"), class = "millrace_text-has-zero")
})

test_that("bytes that are damaged are an error or other values, and never the end of R", {
  types <- unlist(expected()$columns)
  text <- gunzip(read_fixture("typescript.csv.gz"))
  set.seed(7)
  for (round in 1:150) {
    at <- sample(length(text), 4)
    damaged <- text
    damaged[at] <- as.raw(sample(c(0:255, 34, 44, 10, 13), 4, replace = TRUE))
    result <- suppressWarnings(tryCatch(.Call(C_read_csv, damaged, names(types)), error = identity))
    expect_true(inherits(result, "error") || all(lengths(result[[2]]) == result[[1]]))
  }
})

test_that("a part of no rows has its columns", {
  types <- c(x = "double", y = "list<string>")
  expect_identical(gunzip(write_csv(types, list(x = numeric(), y = list()))), charToRaw("x,y\n"))
  expect_identical(read_csv(types, write_csv(types, list(x = numeric(), y = list()))), list(rows = 0L, data = list(x = numeric(), y = list())))
  expect_identical(read_csv(types, gzip("x,y")), list(rows = 0L, data = list(x = numeric(), y = list())))
})
