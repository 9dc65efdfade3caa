# Regressions of R as coefficients, and what R's own predict says of rows: Rscript make_glm.R, with nothing but base R.
set.seed(7)
n <- 400
data <- data.frame(
  orders30d = rpois(n, 3),
  spend90d = rgamma(n, 2, scale = 40),
  gift = runif(n) < 0.3,
  channel = sample(c("app", "shop", "web"), n, replace = TRUE)
)
score <- with(data, 0.6 * orders30d - 0.01 * spend90d + gift - 0.5 * (channel == "web") + rnorm(n, 0, 0.5))
data$left <- as.integer(score < 1.2)
data$visits <- rpois(n, exp(0.2 * data$orders30d))
data$value <- score
rows <- head(data, 40)

keep <- function(name, model) {
  estimate <- coef(model)
  write.csv(data.frame(term = names(estimate), estimate = estimate), paste0(name, ".coefficients.csv"), row.names = FALSE)
  inputs <- rows[c("orders30d", "spend90d", "gift", "channel")]
  prediction <- predict(model, rows, type = "response")
  write.csv(cbind(inputs, prediction = prediction), paste0(name, ".golden.csv"), row.names = FALSE)
}

formula <- ~ orders30d + spend90d + gift + channel + orders30d:gift
keep("r-glm-logit", glm(update(formula, left ~ .), binomial, data))
keep("r-glm-log", glm(update(formula, visits ~ .), poisson, data))
keep("r-lm", lm(update(formula, value ~ .), data))
