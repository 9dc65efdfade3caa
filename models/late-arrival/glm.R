# late-arrival as a logistic regression of base R: Rscript glm.R TABLE.csv FOLDER. Writes what `millrace model pack` takes: coefficients.csv,
# golden.csv (rows with what R's own predict says of them) and papers.json.
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[2]
data <- read.csv(arguments[1])
inputs <- setdiff(names(data), c("user", "time", "late"))

# A function answers for every route: where a feature is null, it gives the model what stands for it here too.
usual <- sapply(data[inputs], median, na.rm = TRUE)
for (name in inputs) data[[name]][is.na(data[[name]])] <- usual[[name]]
model <- glm(late ~ ., binomial, data[c("late", inputs)])

coefficients <- coef(summary(model))[, "Estimate"]
table <- data.frame(term = names(coefficients), estimate = format(coefficients, digits = 17, trim = TRUE))
write.csv(table, file.path(folder, "coefficients.csv"), row.names = FALSE)

# Nobody's rows: every column in an order of its own.
set.seed(1)
rows <- as.data.frame(lapply(data[inputs], function(values) sample(values, 40)))
rows$probability <- predict(model, rows, type = "response")
write.csv(format(rows, digits = 15, trim = TRUE), file.path(folder, "golden.csv"), row.names = FALSE, quote = FALSE)

said <- sprintf('    "%s": { "missing": %.17g }', inputs, usual)
writeLines(c(
  "{",
  '  "owner": "route desk",',
  '  "who": "models/late-arrival/glm.R",',
  '  "when": "2001-02-01T00:00:00Z",',
  '  "description": "Probability that the next flight of a route arrives more than 15 minutes late, by a glm of R.",',
  sprintf('  "libraries": { "R": "%s.%s" },', R.version$major, R.version$minor),
  sprintf('  "trainingData": { "source": "the first flights of vega-datasets 3.2.1", "rows": %d, "from": "%s", "to": "%s" },',
    nrow(data), min(data$time), max(data$time)),
  '  "outputs": { "probability": { "range": [0, 1] } },',
  '  "inputs": {', paste(said, collapse = ",\n"), "  }", "}"
), file.path(folder, "papers.json"))
