test_that("what is gzipped is what it was, in one piece or in several", {
  text <- paste0(paste(seq_len(1e6), collapse = ","), "\n")
  expect_identical(gunzip(gzip(text)), charToRaw(text))
  expect_identical(gunzip(c(gzip("a\n"), gzip("b\n"))), charToRaw("a\nb\n"))
  expect_identical(gunzip(gzip("")), raw())
})

test_that("bytes that are not gzipped, end early or are damaged are refused", {
  bytes <- gzip(paste(seq_len(1000), collapse = ","))
  damaged <- bytes
  damaged[1000] <- xor(damaged[1000], as.raw(1))
  for (wrong in list(raw(), charToRaw("id\n1,2,3,4,5,6,7,8,9\n"), bytes[1:10], bytes[1:1000], damaged)) {
    expect_error(gunzip(wrong), class = "millrace_part-differs", info = length(wrong))
  }
})

test_that("a small file that unpacks into a very large one has an end", {
  bytes <- gzip(strrep("0", 1000))
  expect_length(gunzip(bytes, text_bytes_max = 1000), 1000)
  expect_error(gunzip(bytes, text_bytes_max = 999), "more than 999 bytes", class = "millrace_part-differs")
})
