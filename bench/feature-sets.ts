// What the features bench measures: the demo's 19 features and one more, and 250 as a team of data scientists would have them after two
// years: a few aggregates over many windows, some costly ones, and what is derived of both. Written by rules, since nobody reads 250 lines.
import {
  above,
  coalesce,
  count,
  decayed,
  distinct,
  divide,
  type Feature,
  type FeatureSet,
  features,
  firstK,
  histogram,
  last,
  lastK,
  log1p,
  max,
  mean,
  min,
  percentile,
  ratio,
  recency,
  stddev,
  streak,
  subtract,
  sum,
  topK,
  variance,
} from 'millrace'
import { arrival } from '../src/pipeline/events.ts'
import { route } from '../src/pipeline/features.ts'

export const features20: FeatureSet = features({
  ...route.features,
  stddevDelay7d: stddev(arrival, 'delayMinutes', { within: '7d' }),
})

/** Which arrivals, by what the contract says of them. */
const KINDS = {
  all: {},
  late: { delayMinutes: { above: 15 } },
  veryLate: { delayMinutes: { above: 60 } },
  early: { delayMinutes: { below: 0 } },
  evening: { departureHour: { atLeast: 17 } },
} as const
type Kind = keyof typeof KINDS

const WINDOWS = ['1h', '6h', '12h', '1d', '3d', '7d', '30d', '90d'] as const
const LONG_WINDOWS = ['1d', '7d', '30d', '90d'] as const
/** By the day: what takes many bytes a tile is asked over these only, as docs/evolution.md advises. */
const DAILY_WINDOWS = ['30d', '90d'] as const
/** A window and the next longer one. */
const PAIRS = WINDOWS.slice(1).map((long, index) => [WINDOWS[index] ?? long, long] as const)
const FEATURES = 250

export const features250: FeatureSet = features(largeSet())

function largeSet(): Record<string, Feature> {
  const set = { ...plain(), ...shapes(), ...grouped(), ...overLife(), ...derived() }
  const names = Object.keys(set)
  if (names.length !== FEATURES) throw new Error(`The large set has ${names.length} features`)
  return set
}

/** Counts, shares, sums, means and the like: 136 features. */
function plain(): Record<string, Feature> {
  const set: Record<string, Feature> = {}
  for (const within of WINDOWS) {
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const where = KINDS[kind]
      set[`count_${kind}_${within}`] = count(arrival, { within, where })
      if (kind === 'all') continue
      set[`share_${kind}_${within}`] = ratio(count(arrival, { within, where }), count(arrival, { within }))
    }
    for (const kind of ['all', 'late'] as const) {
      set[`minutes_${kind}_${within}`] = sum(arrival, 'delayMinutes', { within, where: KINDS[kind] })
    }
    for (const kind of ['all', 'late', 'evening'] as const) {
      set[`mean_${kind}_${within}`] = mean(arrival, 'delayMinutes', { within, where: KINDS[kind] })
    }
    set[`min_${within}`] = min(arrival, 'delayMinutes', { within })
    set[`max_${within}`] = max(arrival, 'delayMinutes', { within })
    set[`stddev_${within}`] = stddev(arrival, 'delayMinutes', { within })
  }
  return set
}

/** Percentiles, distinct values, histograms: 22 features. */
function shapes(): Record<string, Feature> {
  const set: Record<string, Feature> = {}
  for (const within of LONG_WINDOWS) {
    for (const q of [0.5, 0.9, 0.99]) {
      set[`p${q * 100}_${within}`] = percentile(arrival, 'delayMinutes', { q, within })
    }
    set[`variance_${within}`] = variance(arrival, 'delayMinutes', { within })
    set[`histogram_${within}`] = histogram(arrival, 'delayMinutes', { within, bounds: [-15, 0, 15, 30, 60, 120] })
  }
  for (const within of DAILY_WINDOWS) set[`hours_${within}`] = distinct(arrival, 'departureHour', { within })
  return set
}

/** By weekday and by hour: 19 features. */
function grouped(): Record<string, Feature> {
  const set: Record<string, Feature> = {}
  for (const within of LONG_WINDOWS) {
    set[`byHour_${within}`] = count(arrival, { within, by: 'departureHour' })
    set[`topHours_${within}`] = topK(arrival, 'departureHour', { k: 3, within })
    set[`byWeekday_${within}`] = count(arrival, { within, by: 'departureWeekday' })
    set[`meanByWeekday_${within}`] = mean(arrival, 'delayMinutes', { within, by: 'departureWeekday' })
  }
  for (const within of DAILY_WINDOWS) {
    set[`lateByHour_${within}`] = count(arrival, { within, where: KINDS.late, by: 'departureHour' })
  }
  set['sinceByWeekday'] = recency(arrival, { roundTo: '1h', by: 'departureWeekday' })
  return set
}

/** Newest and oldest events, decay, streaks, the whole life: 25 features. */
function overLife(): Record<string, Feature> {
  const set: Record<string, Feature> = {
    lastDelay: last(arrival, 'delayMinutes'),
    lastHour: last(arrival, 'departureHour'),
    lastWeekday: last(arrival, 'departureWeekday'),
    distance: last(arrival, 'distanceMiles'),
    lastLate: last(arrival, 'delayMinutes', { where: KINDS.late }),
    lastDelays: lastK(arrival, 'delayMinutes', { k: 5 }),
    firstDelays: firstK(arrival, 'delayMinutes', { k: 3 }),
    lifetimeCount: count(arrival),
    lifetimeLate: count(arrival, { where: KINDS.late }),
    lifetimeMinutes: sum(arrival, 'delayMinutes'),
    lifetimeMean: mean(arrival, 'delayMinutes'),
    lifetimeWorst: max(arrival, 'delayMinutes'),
    lifetimeBest: min(arrival, 'delayMinutes'),
  }
  for (const kind of ['all', 'late', 'veryLate', 'early'] as const) {
    set[`since_${kind}`] = recency(arrival, { roundTo: '1h', where: KINDS[kind] })
    set[`streak_${kind}`] = streak(arrival, { every: '1d', where: KINDS[kind] })
  }
  for (const halfLife of ['1d', '7d'] as const) {
    set[`decayed_${halfLife}`] = decayed(arrival, { halfLife })
    set[`decayedMinutes_${halfLife}`] = decayed(arrival, { halfLife, sum: 'delayMinutes' })
  }
  return set
}

/** Expressions over the others: 48 features. */
function derived(): Record<string, Feature> {
  const set: Record<string, Feature> = {}
  for (const [short, long] of PAIRS) {
    for (const kind of ['all', 'late'] as const) {
      set[`trend_${kind}_${short}`] = subtract(`mean_${kind}_${short}`, `mean_${kind}_${long}`)
      set[`rate_${kind}_${short}`] = divide(`count_${kind}_${short}`, `count_${kind}_${long}`)
    }
    set[`worse_${short}`] = above(`share_late_${short}`, `share_late_${long}`)
  }
  for (const within of WINDOWS) set[`log_${within}`] = log1p(`count_all_${within}`)
  for (const within of LONG_WINDOWS) set[`range_${within}`] = subtract(`max_${within}`, `min_${within}`)
  return { ...set, usual: coalesce('p50_7d', 'p50_30d', 'p50_90d', 'lifetimeMean') }
}
