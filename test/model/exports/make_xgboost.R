# A booster that R trained, as xgb.save writes it, and what R's own predict says of eight rows.
# Run once, with the package xgboost: `Rscript make_xgboost.R`; then make_exports.py, which converts it.
library(xgboost)
set.seed(7)
n <- 400
x <- cbind(
  orders30d = rpois(n, 3), spend90d = round(rgamma(n, 2, scale = 40), 2),
  sinceOrder = sample(0:89, n, TRUE), giftShare = round(runif(n), 3)
)
score <- 0.6 * x[, 1] - 0.01 * x[, 2] - 0.02 * x[, 3] + x[, 4] + rnorm(n, 0, 0.5)
left <- as.integer(score < 0.5)
parameters <- list(objective = "binary:logistic", max_depth = 3, nthread = 1)
model <- xgb.train(parameters, xgb.DMatrix(x, label = left), nrounds = 15)
rows <- x[1:8, ]
xgb.save(model, "r-xgboost.ubj")
write.csv(cbind(rows, prediction = predict(model, rows)), "r-xgboost.csv", row.names = FALSE)
