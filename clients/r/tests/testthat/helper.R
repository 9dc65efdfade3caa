read_fixture <- function(name) {
  path <- test_path("fixtures", name)
  readBin(path, "raw", file.size(path))
}

expected <- function() jsonlite::fromJSON(test_path("fixtures", "expected.json"), simplifyVector = FALSE)

as_rows <- function(piece) structure(piece$data, class = "data.frame", row.names = .set_row_names(piece$rows))

round_trip <- function(x, type) read_ndjson(c(x = type), write_ndjson(c(x = type), list(x = as_column(x, type, "x"))))$data$x

csv_round_trip <- function(x, type) read_csv(c(x = type), write_csv(c(x = type), list(x = as_column(x, type, "x"))))$data$x

csv_of <- function(type, text) read_csv(c(x = type), gzip(text))$data$x
