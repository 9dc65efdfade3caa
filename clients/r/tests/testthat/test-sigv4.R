# The cases of AWS's own test suite of signature version 4.
credentials <- list(access_key = "AKIDEXAMPLE", secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region = "us-east-1", service = "service")
at <- as.POSIXct("2015-08-30 12:36:00", tz = "UTC")
signature <- function(method, query = list()) {
  request <- list(method = method, host = "example.amazonaws.com", path = "/", query = query, body = raw())
  sub(".*Signature=", "", sigv4_headers(request, credentials, at)[["authorization"]])
}

test_that("signatures are those of AWS's test suite", {
  expect_identical(signature("GET"), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
  expect_identical(signature("POST"), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")
  query <- list(Param2 = "value2", Param1 = "value1")
  expect_identical(signature("GET", query), "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")
})

test_that("a session token is signed, and a query is encoded", {
  request <- list(method = "GET", host = "h", path = "/", query = list(), body = raw())
  headers <- sigv4_headers(request, c(credentials, session_token = "temporary"), at)
  expect_identical(headers[["x-amz-security-token"]], "temporary")
  expect_match(headers[["authorization"]], "SignedHeaders=host;x-amz-date;x-amz-security-token", fixed = TRUE)
  expect_identical(canonical_query(list(partition = "year=2026/country=de")), "partition=year%3D2026%2Fcountry%3Dde")
})
