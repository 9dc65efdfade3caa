# Last night's snapshot in two lines, a model of it, and a table that others can read.
library(millrace)
users <- sf_reader(namespace = "flights", resource = "users")

# In this pipeline a user is a route, as "ORD-LAX". How late are flights from an airport, beside what distance explains?
library(dplyr)
routes <- users |>
  mutate(origin = sub("-.*", "", user_id), distance = as.numeric(distance) / 1000) |>
  filter(!is.na(meanDelay7d), !is.na(distance))
fit <- lme4::lmer(meanDelay7d ~ distance + (1 | origin), data = routes)
effects <- lme4::ranef(fit)$origin
airports <- routes |>
  group_by(origin) |>
  summarise(routes = n(), mean_delay = mean(meanDelay7d)) |>
  mutate(effect = effects[origin, "(Intercept)"])

day <- sub("day=", "", attr(users, "millrace")$partition)
sf_writer(
  data = as.data.frame(airports), namespace = "team", resource = "airport_delays", partitions = c(day = day), partition_keys = "day",
  why = paste("from the snapshot", attr(users, "millrace")$batch_id)
)
