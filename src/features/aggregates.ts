// How a team writes features: each builder returns plain data. Names are the field's own (count, sum, mean …); wrong fields,
// filters and inputs are compile errors.
import type { EventContract } from '../event/contract.ts'
import { DefinitionError } from '../event/errors.ts'
import type { Field, ValueOf } from '../event/field.ts'
import { type Duration, MINUTE_MS, parseDurationMs } from '../platform/duration.ts'
import { aggregateFeature } from './aggregate-feature.ts'
import type {
  AggregateFeature,
  Answer,
  ByOption,
  FieldOf,
  NumberFieldOf,
  RatioFeature,
  WhereOption,
  WindowOptions,
} from './feature.ts'

/** How many events. */
export function count<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  options?: WindowOptions<E, By>,
): AggregateFeature<Answer<By, number>> {
  return aggregateFeature('count', event, undefined, options ?? {})
}

/** Exact sum of a number field; 0 over no events. */
export function sum<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  field: NumberFieldOf<E>,
  options?: WindowOptions<E, By>,
): AggregateFeature<Answer<By, number>> {
  return aggregateFeature('sum', event, field, options ?? {})
}

/** Mean of a number field; null over no events. */
export function mean<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  field: NumberFieldOf<E>,
  options?: WindowOptions<E, By>,
): AggregateFeature<Answer<By, number | null>> {
  return aggregateFeature('mean', event, field, options ?? {})
}

/** Smallest value; null over no events. */
export function min<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  field: NumberFieldOf<E>,
  options?: WindowOptions<E, By>,
): AggregateFeature<Answer<By, number | null>> {
  return aggregateFeature('min', event, field, options ?? {})
}

/** Greatest value; null over no events. */
export function max<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  field: NumberFieldOf<E>,
  options?: WindowOptions<E, By>,
): AggregateFeature<Answer<By, number | null>> {
  return aggregateFeature('max', event, field, options ?? {})
}

/** Sample variance (n − 1), from exact Σx and Σx²; null below two events. */
export function variance<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  field: NumberFieldOf<E>,
  options?: WindowOptions<E, By>,
): AggregateFeature<Answer<By, number | null>> {
  return aggregateFeature('variance', event, field, options ?? {})
}

/** Square root of the sample variance; null below two events. */
export function stddev<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  field: NumberFieldOf<E>,
  options?: WindowOptions<E, By>,
): AggregateFeature<Answer<By, number | null>> {
  return aggregateFeature('stddev', event, field, options ?? {})
}

/** Value of the oldest event in the window, by (event time, id), that has one; null over no events. */
export function first<
  E extends EventContract,
  Name extends FieldOf<E, Field>,
  const By extends FieldOf<E, Field> = never,
>(
  event: E,
  field: Name,
  options?: WindowOptions<E, By>,
): AggregateFeature<Answer<By, ValueOf<E['fields'][Name]> | null>> {
  return aggregateFeature('first', event, field, options ?? {}, { state: { k: 1 } })
}

/** Value of the newest event by (event time, id) that has one; null if that lies outside the window, or over no events. */
export function last<
  E extends EventContract,
  Name extends FieldOf<E, Field>,
  const By extends FieldOf<E, Field> = never,
>(
  event: E,
  field: Name,
  options?: WindowOptions<E, By>,
): AggregateFeature<Answer<By, ValueOf<E['fields'][Name]> | null>> {
  return aggregateFeature('last', event, field, options ?? {})
}

export interface RecencyOptions<E extends EventContract, By extends FieldOf<E, Field>>
  extends WhereOption<E>,
    ByOption<E, By> {
  readonly roundTo: Duration
}

/** Seconds since the newest event, rounded down to `roundTo`; null over no events. */
export function recency<E extends EventContract, const By extends FieldOf<E, Field> = never>(
  event: E,
  options: RecencyOptions<E, By>,
): AggregateFeature<Answer<By, number | null>> {
  const { roundTo, ...rest } = options
  const roundToMs = parseDurationMs(roundTo)
  if (roundToMs < MINUTE_MS) throw new DefinitionError('recency: roundTo is below a minute', "Use '1m' or more.")
  return aggregateFeature('recency', event, undefined, rest, { read: { roundToMs } })
}

/** One aggregate over another; null where either is null or the denominator is 0. */
export function ratio(
  numerator: AggregateFeature<number> | AggregateFeature<number | null>,
  denominator: AggregateFeature<number> | AggregateFeature<number | null>,
): RatioFeature<number | null> {
  for (const { by } of [numerator, denominator]) {
    if (by !== undefined) throw new DefinitionError('ratio: of an aggregate with by', 'Leave out by, or use where.')
  }
  return { kind: 'ratio', numerator, denominator }
}
