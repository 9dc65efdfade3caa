// What one aggregate costs by itself, over 7 and over 30 days of a user with an event every 130 seconds: folding one event that comes
// alone, evaluating both windows, and the bytes of its state, beside those of a typical user and the most there can be. With and
// without `by`.
import {
  count,
  decayed,
  distinct,
  type Feature,
  features,
  firstK,
  histogram,
  last,
  lastK,
  max,
  mean,
  min,
} from 'millrace'
import { first, percentile, ratio, recency, stddev, streak, sum, topK, variance } from 'millrace'
import type { DecodedEvent } from '../src/event/decoded-event.ts'
import { evaluateFeatures } from '../src/features/evaluate.ts'
import { compileFeatures, type FeaturesPlan } from '../src/features/plan.ts'
import { foldState, stateJson, type UserState } from '../src/features/state.ts'
import { arrival } from '../src/pipeline/events.ts'
import { estimateItem } from '../src/recompute/estimate-item.ts'
import { deflateBlob } from '../src/store/blob-codec.ts'
import { busyUser } from './arrivals.ts'
import { compiled } from './feature-items.ts'
import { medianCpuMicroseconds } from './stopwatch.ts'

export interface AggregateFigures {
  readonly aggregate: string
  readonly alone: CostFigures
  /** By weekday; undefined where there is no such thing. */
  readonly byWeekday: CostFigures | undefined
}

export interface CostFigures {
  readonly foldUs: number
  readonly evaluateUs: number
  readonly bytes: StateBytes
}

/** As they are stored, compressed. */
export interface StateBytes {
  /** Of a user with an event a day. */
  readonly typical: number
  /** Of one with an event every 130 seconds. */
  readonly busy: number
  /** Every tile, key, list and sketch full. */
  readonly most: number
}

/** 38 days: both windows are full. */
const EVENTS_BEFORE = 25_000
/** 24 hours and 50 seconds. */
const EVENTS_OF_A_DAY = 665
const FOLDS = { rounds: 7, calls: 400 }
const EVALUATIONS = { rounds: 7, calls: 20 }
const WITHINS = ['7d', '30d'] as const
const DELAY = 'delayMinutes'
const LATE = { [DELAY]: { above: 15 } } as const

interface Options {
  readonly within: (typeof WITHINS)[number]
  readonly by?: 'departureWeekday'
}

const AGGREGATES: Readonly<Record<string, (options: Options) => Feature>> = {
  count: options => count(arrival, options),
  sum: options => sum(arrival, DELAY, options),
  mean: options => mean(arrival, DELAY, options),
  min: options => min(arrival, DELAY, options),
  max: options => max(arrival, DELAY, options),
  variance: options => variance(arrival, DELAY, options),
  stddev: options => stddev(arrival, DELAY, options),
  first: options => first(arrival, DELAY, options),
  last: options => last(arrival, DELAY, options),
  firstK: options => firstK(arrival, DELAY, { ...options, k: 3 }),
  lastK: options => lastK(arrival, DELAY, { ...options, k: 3 }),
  distinct: options => distinct(arrival, DELAY, options),
  percentile: options => percentile(arrival, DELAY, { ...options, q: 0.9 }),
  histogram: options => histogram(arrival, DELAY, { ...options, bounds: [-15, 0, 15, 30, 60, 120] }),
  recency: ({ by }) => recency(arrival, { ...(by && { by }), roundTo: '1h' }),
  decayed: ({ within, ...options }) => decayed(arrival, { ...options, halfLife: within === '7d' ? '1d' : '7d' }),
  streak: ({ by }) => streak(arrival, { ...(by && { by }), every: '1d' }),
}
/** Of these there is none by a field. */
const WITHOUT_BY: Readonly<Record<string, (options: Omit<Options, 'by'>) => Feature>> = {
  topK: options => topK(arrival, 'departureHour', { ...options, k: 3 }),
  ratio: options => ratio(count(arrival, { ...options, where: LATE }), count(arrival, options)),
}

export function aggregateCosts(): readonly AggregateFigures[] {
  const grouped = Object.entries(AGGREGATES).map(([aggregate, build]) => ({
    aggregate,
    alone: costOf(WITHINS.map(within => build({ within }))),
    byWeekday: costOf(WITHINS.map(within => build({ within, by: 'departureWeekday' }))),
  }))
  const others = Object.entries(WITHOUT_BY).map(([aggregate, build]) => ({
    aggregate,
    alone: costOf(WITHINS.map(within => build({ within }))),
    byWeekday: undefined,
  }))
  return [...grouped, ...others]
}

function costOf(both: readonly Feature[]): CostFigures {
  const set = features(Object.fromEntries(both.map((feature, index) => [`f${index}`, feature])))
  const plan = compileFeatures(set)
  const before = busyUser(0, EVENTS_BEFORE)
  let { state, at } = foldAll(plan, before)
  const bytes = {
    typical: stateBytes(
      foldAll(
        plan,
        before.filter((_, index) => index % EVENTS_OF_A_DAY === 0),
      ).state,
    ),
    busy: stateBytes(state),
    most: estimateItem(compiled(set)).worst.parts.state,
  }
  const coming = busyUser(EVENTS_BEFORE, EVENTS_BEFORE + FOLDS.rounds * FOLDS.calls)
  let next = 0
  const foldUs = medianCpuMicroseconds(() => {
    const folded = foldState({ plan, state, previousAt: at, previousVersion: 1, events: coming.slice(next, ++next) })
    state = folded.state
    at = folded.at
  }, FOLDS)
  return { foldUs, evaluateUs: medianCpuMicroseconds(() => evaluateFeatures(plan, state, at, at), EVALUATIONS), bytes }
}

function foldAll(plan: FeaturesPlan, events: readonly DecodedEvent[]): ReturnType<typeof foldState> {
  return foldState({ plan, state: undefined, previousAt: undefined, previousVersion: undefined, events })
}

function stateBytes(state: UserState): number {
  return deflateBlob(Buffer.from(stateJson(state))).length
}
