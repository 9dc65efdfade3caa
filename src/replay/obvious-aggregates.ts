// Each aggregate as docs/features.md says it, over a list of all events that count: filter, sort, add up. No state, no tiles, no
// sketch; where the fold may answer with an error, this is the true value, and beside it how far off an answer may be.
import type { DecodedEvent, FieldValue } from '../event/decoded-event.ts'
import type { AggregateFeature } from '../features/feature.ts'
import { type Allowance, type Answer, ANYTHING, exact, finiteOrNull } from './obvious-answer.ts'
import { nearestDouble, totalOf, unitsOf } from './obvious-numbers.ts'

/** Five standard errors of HyperLogLog with 1,024 registers: one answer in two millions is further off. */
const DISTINCT_RELATIVE_ERROR = 5 * 0.0325
/** Of a few values each one that meets another in a register counts: of 10, four with a probability of 10^-7. */
const DISTINCT_COLLISIONS_MAX = 4
/** "To the last digits of a double", over as many events as anybody has. */
export const DECAY_RELATIVE_ERROR = 1e-9
/** A sketch's answer is worked out with logarithms and powers, which cost it a few last digits. */
const PERCENTILE_ROUNDING = 1e-9
const PERCENTILE_ROUNDING_ABSOLUTE = 4 * Number.MIN_VALUE

/** `events`: all that count, oldest first, each with a value of the aggregate's field. */
export function aggregateOf(feature: AggregateFeature, events: readonly DecodedEvent[], t: number): Answer {
  const values = feature.field === undefined ? [] : events.map(event => valueOf(event, feature.field))
  switch (feature.aggregate) {
    case 'count':
      return exact(events.length)
    case 'recency':
      return exact(recency(feature, events, t))
    case 'streak':
      return exact(streak(feature, events, t))
    case 'decayed':
      return decayed(feature, events, t)
    case 'first':
      return exact(firstK(feature, values, 1)[0] ?? null)
    case 'last':
      return exact(firstK(feature, values.toReversed(), 1)[0] ?? null)
    case 'firstK':
      return exact(firstK(feature, values, parameter(feature, 'k')))
    case 'lastK':
      return exact(firstK(feature, values.toReversed(), parameter(feature, 'k')))
    case 'distinct':
      return distinct(feature, values)
    default:
      return numeric(feature, values as number[])
  }
}

function numeric(feature: AggregateFeature, values: readonly number[]): Answer {
  const ascending = values.toSorted((a, b) => a - b)
  switch (feature.aggregate) {
    case 'sum':
      return exact(finiteOrNull(sum(feature, values)))
    case 'mean':
      return exact(mean(feature, values))
    case 'min':
      return exact(plainOrNull(feature, ascending[0]))
    case 'max':
      return exact(plainOrNull(feature, ascending.at(-1)))
    case 'variance':
      return exact(variance(feature, values))
    case 'stddev': {
      const squared = variance(feature, values)
      return exact(squared === null ? null : Math.sqrt(squared))
    }
    case 'histogram':
      return exact(histogram(feature, values))
    case 'percentile':
      return percentile(feature, ascending)
    default:
      throw new Error(`The obvious implementation does not know the aggregate ${feature.aggregate}.`)
  }
}

export function valueOf(event: DecodedEvent, field: string | undefined): FieldValue {
  return field === undefined ? null : (event.fields.get(field) ?? null)
}

/** A value as an answer has it: a number of a field with a scale as a decimal, and no −0. */
export function plain(value: FieldValue, scale: number | undefined): FieldValue {
  return typeof value === 'number' ? value / 10 ** (scale ?? 0) + 0 : value
}

export function parameter(feature: AggregateFeature, name: string): number {
  return Number(feature.stateParameters[name] ?? feature.readParameters[name])
}

function plainOrNull(feature: AggregateFeature, value: number | undefined): FieldValue {
  return value === undefined ? null : plain(value, feature.scale)
}

function firstK(feature: AggregateFeature, values: readonly FieldValue[], k: number): FieldValue[] {
  return values.slice(0, k).map(value => plain(value, feature.scale))
}

function sum(feature: AggregateFeature, values: readonly number[]): number {
  const { count, perOne } = unitsOf(feature.scale)
  return nearestDouble(totalOf(values.map(count)), perOne) + 0
}

/** Beyond the greatest double it counts as that. */
export function sumWithinDoubles(feature: AggregateFeature, events: readonly DecodedEvent[]): number {
  const total = sum(feature, events.map(event => valueOf(event, feature.field)) as number[])
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, total))
}

/** Rounded twice: the sum, of a field with a scale as an integer at it, and the quotient. */
function mean(feature: AggregateFeature, values: readonly number[]): number | null {
  if (values.length === 0) return null
  const { count, perOne } = unitsOf(feature.scale)
  const total = totalOf(values.map(count))
  if (feature.scale === undefined) return finiteOrNull(nearestDouble(total, perOne) / values.length)
  return finiteOrNull(nearestDouble(total, 1n) / (values.length * 10 ** feature.scale))
}

function variance(feature: AggregateFeature, values: readonly number[]): number | null {
  if (values.length < 2) return null
  const { count, perOne } = unitsOf(feature.scale)
  const n = BigInt(values.length)
  const counts = values.map(count)
  const total = totalOf(counts)
  const ofSquares = totalOf(counts.map(x => x * x))
  return finiteOrNull(nearestDouble(n * ofSquares - total * total, n * (n - 1n) * perOne * perOne))
}

function histogram(feature: AggregateFeature, values: readonly number[]): number[] {
  const bounds = feature.stateParameters['bounds'] as readonly number[]
  const edges = [Number.NEGATIVE_INFINITY, ...bounds, Number.POSITIVE_INFINITY]
  return edges.slice(1).map((end, index) => values.filter(x => x >= (edges[index] ?? 0) && x < end).length)
}

function percentile(feature: AggregateFeature, ascending: readonly number[]): Answer {
  const rank = Math.floor(parameter(feature, 'q') * (ascending.length - 1))
  const value = plainOrNull(feature, ascending[rank])
  const relative = sketchError(ascending, parameter(feature, 'error'), parameter(feature, 'binsMax'))
  return {
    value,
    allowance: { relative: relative + PERCENTILE_ROUNDING, absolute: PERCENTILE_ROUNDING_ABSOLUTE },
  }
}

/**
 * The relative error that so many bins allow. A bin reaches from one power of gamma to the next, and its middle is off by at most
 * (gamma − 1) / (gamma + 1); where the values need more bins than there may be, two neighbours become one and gamma is squared.
 * One bin is left free, as a value next to a power of gamma may round into either of two.
 */
export function sketchError(values: readonly number[], error: number, binsMax: number): number {
  let logGamma = Math.log((1 + error) / (1 - error))
  const binsAt = (): number =>
    new Set(values.map(x => (x === 0 ? 'zero' : `${Math.sign(x)} ${Math.ceil(Math.log(Math.abs(x)) / logGamma)}`))).size
  while (binsAt() > binsMax - 1) logGamma *= 2
  return Math.tanh(logGamma / 2)
}

function distinct(feature: AggregateFeature, values: readonly FieldValue[]): Answer {
  return { value: new Set(values).size, allowance: distinctAllowance(feature) }
}

export function distinctAllowance(feature: AggregateFeature): Allowance {
  return {
    relative: DISTINCT_RELATIVE_ERROR,
    absolute: DISTINCT_COLLISIONS_MAX,
    exactTo: parameter(feature, 'exactTo'),
  }
}

function recency(feature: AggregateFeature, events: readonly DecodedEvent[], t: number): number | null {
  const newest = events.at(-1)
  if (newest === undefined) return null
  const stepMs = parameter(feature, 'roundToMs')
  return (Math.floor((t - newest.ts) / stepMs) * stepMs) / 1000
}

/** What each event weighs at t, of its field's value or of 1. An answer may be off by a share of what all weigh, signs apart. */
function decayed(feature: AggregateFeature, events: readonly DecodedEvent[], t: number): Answer {
  const halfLifeMs = parameter(feature, 'halfLifeMs')
  const hopMs = decayHopMs(halfLifeMs)
  const floor = (ms: number): number => Math.floor(ms / hopMs) * hopMs
  const amounts = events.map(event =>
    feature.field === undefined ? 1 : Number(plain(valueOf(event, feature.field), feature.scale)),
  )
  const weights = events.map(event => 2 ** (-(floor(t) - floor(event.ts)) / halfLifeMs))
  const sumOf = (weigh: (amount: number, index: number) => number): number =>
    amounts.reduce((total, amount, index) => total + weigh(amount, index), 0)
  const value = finiteOrNull(sumOf((amount, index) => amount * (weights[index] ?? 0)))
  // Where parts of the sum are beyond the doubles, it depends on what is added first whether the whole is.
  if (!Number.isFinite(sumOf(amount => Math.abs(amount)))) return { value, allowance: ANYTHING }
  const absolute = DECAY_RELATIVE_ERROR * sumOf((amount, index) => Math.abs(amount) * (weights[index] ?? 0))
  return { value, allowance: { relative: DECAY_RELATIVE_ERROR, absolute } }
}

export function decayHopMs(halfLifeMs: number): number {
  return Math.max(60_000, Math.floor(halfLifeMs / 32))
}

function streak(feature: AggregateFeature, events: readonly DecodedEvent[], t: number): number {
  const period = (ms: number): number => Math.floor(ms / parameter(feature, 'everyMs'))
  const periods = new Set(events.map(event => period(event.ts)))
  const newest = period(events.at(-1)?.ts ?? Number.NEGATIVE_INFINITY)
  if (newest < period(t) - 1) return 0
  let length = 0
  while (periods.has(newest - length)) length++
  return Math.min(length, parameter(feature, 'periodsMax'))
}
