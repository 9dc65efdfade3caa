# The package against a cloud: test/clients/r.ts of the repo starts it, and says in facts.json what is there.
library(testthat)
library(millrace)
folder <- commandArgs(trailingOnly = TRUE)[1]
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
Sys.setenv(MILLRACE_TEST_FOLDER = folder)
test_file(file.path(dirname(script), "test-tables.R"), reporter = "summary", stop_on_failure = TRUE)
