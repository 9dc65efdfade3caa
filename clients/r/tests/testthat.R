library(testthat)
library(millrace)

test_check("millrace")
