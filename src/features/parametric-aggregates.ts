// Builders of the aggregates that take more than a window: lists, sketches, decay, streaks. docs/features.md has a table of what
// each costs and how exact it is.
import type { EventContract } from '../event/contract.ts'
import { DefinitionError } from '../event/errors.ts'
import type { Field, ValueOf } from '../event/field.ts'
import { scaledInteger } from '../event/scaled-decimal.ts'
import { DAY_MS, type Duration, HOUR_MS, MINUTE_MS, parseDurationMs } from '../platform/duration.ts'
import { aggregateFeature, existingField, wholeNumber } from './aggregate-feature.ts'
import type {
  AggregateFeature,
  Answer,
  ByOption,
  FieldOf,
  NumberFieldOf,
  WhereOption,
  WindowOptions,
} from './feature.ts'
import { WITHIN_MAX_MS } from './windows.ts'

/** A list of values is kept whole in every tile. */
const K_MAX = 100
const DISTINCT_EXACT_DEFAULT = 64
const DISTINCT_EXACT_MAX = 512
const PERCENTILE_ERROR_DEFAULT = 0.01
const PERCENTILE_ERRORS: readonly [number, number] = [0.001, 0.1]
const PERCENTILE_BINS_MAX = 128
const BOUNDS_MAX = 50
const STREAK_PERIODS_DEFAULT = 366
const STREAK_PERIODS_MAX = 1000
const TOP_KEYS_DEFAULT = 32

export type FirstKOptions<E extends EventContract, By extends FieldOf<E, Field>> = WindowOptions<E, By> & {
  readonly k: number
}

/** The values of the oldest k events in the window that have one, oldest first. */
export function firstK<
  E extends EventContract,
  Name extends FieldOf<E, Field>,
  const By extends FieldOf<E, Field> = never,
>(
  event: E,
  field: Name,
  options: FirstKOptions<E, By>,
): AggregateFeature<Answer<By, readonly ValueOf<E['fields'][Name]>[]>> {
  const { k, ...rest } = options
  return aggregateFeature('firstK', event, field, rest, { state: { k: wholeNumber('firstK', 'k', k, [1, K_MAX]) } })
}

/** The values of the newest k events in the window that have one, newest first. */
export function lastK<
  E extends EventContract,
  Name extends FieldOf<E, Field>,
  const By extends FieldOf<E, Field> = never,
>(
  event: E,
  field: Name,
  options: FirstKOptions<E, By>,
): AggregateFeature<Answer<By, readonly ValueOf<E['fields'][Name]>[]>> {
  const { k, ...rest } = options
  return aggregateFeature('lastK', event, field, rest, { state: { k: wholeNumber('lastK', 'k', k, [1, K_MAX]) } })
}

export interface Top {
  /** Whether every value was counted; else only those of smallest hash compete. */
  readonly exact: boolean
  /** By value, greatest first; ties by key in code point order. */
  readonly top: readonly { readonly key: string; readonly value: number }[]
}

export type TopKOptions<E extends EventContract> = Omit<WindowOptions<E>, 'by'> & {
  readonly k: number
  /** A number field: the top by its sum, and not by how many events. */
  readonly sum?: NumberFieldOf<E>
}

/** The values of a field that most events have, or with the greatest sum of another one. It shares the state of `count` or `sum` by it. */
export function topK<E extends EventContract>(
  event: E,
  field: FieldOf<E, Field>,
  options: TopKOptions<E>,
): AggregateFeature<Top> {
  const { k, sum, keys, ...rest } = options
  existingField('topK', event, field)
  const keysMax = keys ?? Math.max(k, TOP_KEYS_DEFAULT)
  const read = { k: wholeNumber('topK', 'k', k, [1, keysMax]) }
  return aggregateFeature('topK', event, sum, { ...rest, by: field, keys: keysMax }, { read })
}

export type DistinctOptions<E extends EventContract, By extends FieldOf<E, Field>> = WindowOptions<E, By> & {
  /** Exact up to so many values (64); beyond, HyperLogLog with 1,024 registers: a standard error of 3.25 %. */
  readonly exactTo?: number
}

/** How many different values of a field. */
export function distinct<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  field: FieldOf<E, Field>,
  options?: DistinctOptions<E, By>,
): AggregateFeature<Answer<By, number>> {
  const { exactTo: given = DISTINCT_EXACT_DEFAULT, ...rest }: DistinctOptions<E, By> = options ?? {}
  const exactTo = wholeNumber('distinct', 'exactTo', given, [1, DISTINCT_EXACT_MAX])
  return aggregateFeature('distinct', event, field, rest, { state: { exactTo } })
}

export type PercentileOptions<E extends EventContract, By extends FieldOf<E, Field>> = WindowOptions<E, By> & {
  /** 0.5 is the median. */
  readonly q: number
  /** Relative error of the answer, 0.01 unless given; it doubles each time the values would need more than 128 bins. */
  readonly error?: number
}

/** The value that the share q of the values does not exceed (lower nearest rank), within a relative error; null over no events. */
export function percentile<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  field: NumberFieldOf<E>,
  options: PercentileOptions<E, By>,
): AggregateFeature<Answer<By, number | null>> {
  const { q, error = PERCENTILE_ERROR_DEFAULT, ...rest } = options
  if (!(q >= 0 && q <= 1)) throw new DefinitionError(`percentile: q is ${q}`, 'Use 0 to 1: 0.5 is the median.')
  const [least, most] = PERCENTILE_ERRORS
  if (!(error >= least && error <= most)) {
    throw new DefinitionError(`percentile: error is ${error}`, `Use ${least} to ${most}: 0.01 is one percent.`)
  }
  return aggregateFeature('percentile', event, field, rest, {
    state: { error, binsMax: PERCENTILE_BINS_MAX },
    read: { q },
  })
}

export type HistogramOptions<E extends EventContract, By extends FieldOf<E, Field>> = WindowOptions<E, By> & {
  /** Ascending; [0, 60] makes three counts: below 0, from 0 to below 60, from 60 on. */
  readonly bounds: readonly number[]
}

/** How many events lie between the bounds. */
export function histogram<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  field: NumberFieldOf<E>,
  options: HistogramOptions<E, By>,
): AggregateFeature<Answer<By, readonly number[]>> {
  const { bounds, ...rest } = options
  const isAscending = bounds.every(
    (bound, index) => Number.isFinite(bound) && (index === 0 || bound > (bounds[index - 1] ?? 0)),
  )
  if (bounds.length === 0 || bounds.length > BOUNDS_MAX || !isAscending) {
    throw new DefinitionError(
      'histogram: bounds are not ascending numbers',
      `Give 1 to ${BOUNDS_MAX}, such as [0, 60].`,
    )
  }
  const definition = existingField('histogram', event, field)
  const scale = definition.kind === 'number' ? definition.scale : undefined
  const scaled = bounds.map(bound =>
    scale === undefined ? bound : (scaledInteger(bound, scale) ?? bound * 10 ** scale),
  )
  return aggregateFeature('histogram', event, field, rest, { state: { bounds: scaled } })
}

export interface DecayedOptions<E extends EventContract, By extends FieldOf<E, Field>>
  extends WhereOption<E>,
    ByOption<E, By> {
  readonly halfLife: Duration
  /** A number field to sum; the events are counted without it. */
  readonly sum?: NumberFieldOf<E>
}

/** Events (or a field's sum), each weighing half as much with every half-life; one of 20 half-lives weighs nothing any more. */
export function decayed<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  options: DecayedOptions<E, By>,
): AggregateFeature<Answer<By, number>> {
  const { halfLife, sum, ...rest } = options
  const halfLifeMs = parseDurationMs(halfLife)
  if (halfLifeMs < MINUTE_MS || halfLifeMs > WITHIN_MAX_MS) {
    throw new DefinitionError(`decayed: halfLife ${halfLife}`, "Use '1m' to '731d'.")
  }
  return aggregateFeature('decayed', event, sum, rest, { state: { halfLifeMs } })
}

export interface StreakOptions<E extends EventContract, By extends FieldOf<E, Field>>
  extends WhereOption<E>,
    ByOption<E, By> {
  /** The period, UTC: '1d' or '1h', or a number of days. */
  readonly every: Duration
  /** Longer ones count as this: 366 unless given. */
  readonly most?: number
}

/** In how many periods in a row there was an event, up to this one or the one before; 0 once a whole period had none. */
export function streak<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  options: StreakOptions<E, By>,
): AggregateFeature<Answer<By, number>> {
  const { every, most, ...rest } = options
  const everyMs = parseDurationMs(every)
  if (everyMs % HOUR_MS !== 0 || everyMs > 31 * DAY_MS) {
    throw new DefinitionError(`streak: every ${every}`, "Use '1h' to '31d', in whole hours.")
  }
  const periodsMax = wholeNumber('streak', 'most', most ?? STREAK_PERIODS_DEFAULT, [1, STREAK_PERIODS_MAX])
  return aggregateFeature('streak', event, undefined, rest, { state: { everyMs, periodsMax } })
}
