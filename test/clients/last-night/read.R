start <- Sys.time()
# The two lines that people write:
library(millrace)
users <- sf_reader(namespace = "flights", resource = "users")
first <- users$user_id[[1]]
seconds <- as.numeric(difftime(Sys.time(), start, units = "secs"))
cat(jsonlite::toJSON(list(rows = nrow(users), checksum = sf_checksum(users), secondsToFirstRow = seconds, first = first), auto_unbox = TRUE, digits = NA))
