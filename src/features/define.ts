// How a team writes features: each builder returns plain data. Names are the field's own (count, sum, mean …); wrong fields,
// filters and inputs are compile errors, and errors at definition for those who write JavaScript.
import type { EventContract } from '../event/contract.ts'
import { DefinitionError } from '../event/errors.ts'
import type { Field, NumberField, ValueOf } from '../event/field.ts'
import { type Duration, MINUTE_MS, parseDurationMs } from '../platform/duration.ts'
import { normaliseWhere, type Term, type Where } from './where.ts'
import { WITHIN_MAX_MS, WITHIN_MIN_MS } from './windows.ts'

export type AggregateName = 'count' | 'sum' | 'mean' | 'min' | 'max' | 'last' | 'recency'

export interface AggregateFeature<Value = unknown> {
  readonly kind: 'aggregate'
  readonly aggregate: AggregateName
  readonly event: EventContract
  readonly field: string | undefined
  /** Decimal places of the stored integers; undefined where values are stored as they are. */
  readonly scale: number | undefined
  readonly where: readonly Term[]
  /** Undefined: over the user's whole life. */
  readonly withinMs: number | undefined
  /** Of `recency` only. */
  readonly roundToMs: number | undefined
  /** Carries the TypeScript type; never present at run time. */
  readonly valueType?: Value
}

export interface RatioFeature<Value = unknown> {
  readonly kind: 'ratio'
  readonly numerator: AggregateFeature<number | null>
  readonly denominator: AggregateFeature<number | null>
  readonly valueType?: Value
}

export type Feature<Value = unknown> = AggregateFeature<Value> | RatioFeature<Value>

export interface WindowOptions<E extends EventContract> {
  readonly within?: Duration
  readonly where?: Where<E>
}

type FieldOf<E extends EventContract, Wanted> = {
  [Name in keyof E['fields'] & string]: E['fields'][Name] extends Wanted ? Name : never
}[keyof E['fields'] & string]

/** How many events. */
export function count<E extends EventContract>(event: E, options: WindowOptions<E> = {}): AggregateFeature<number> {
  return aggregate('count', event, undefined, options)
}

/** Exact sum of a number field with a scale; 0 over no events. */
export function sum<E extends EventContract>(
  event: E,
  field: FieldOf<E, NumberField<number>>,
  options: WindowOptions<E> = {},
): AggregateFeature<number> {
  return aggregate('sum', event, field, options)
}

/** Mean of a number field with a scale; null over no events. */
export function mean<E extends EventContract>(
  event: E,
  field: FieldOf<E, NumberField<number>>,
  options: WindowOptions<E> = {},
): AggregateFeature<number | null> {
  return aggregate('mean', event, field, options)
}

/** Smallest value; null over no events. */
export function min<E extends EventContract>(
  event: E,
  field: FieldOf<E, NumberField>,
  options: WindowOptions<E> = {},
): AggregateFeature<number | null> {
  return aggregate('min', event, field, options)
}

/** Greatest value; null over no events. */
export function max<E extends EventContract>(
  event: E,
  field: FieldOf<E, NumberField>,
  options: WindowOptions<E> = {},
): AggregateFeature<number | null> {
  return aggregate('max', event, field, options)
}

/** Value of the newest event by (event time, id) that has one; null if that lies outside the window, or over no events. */
export function last<E extends EventContract, Name extends FieldOf<E, Field>>(
  event: E,
  field: Name,
  options: WindowOptions<E> = {},
): AggregateFeature<ValueOf<E['fields'][Name]> | null> {
  return aggregate('last', event, field, options)
}

/** Seconds since the newest event, rounded down to `roundTo`; null over no events. */
export function recency<E extends EventContract>(
  event: E,
  options: { readonly roundTo: Duration; readonly where?: Where<E> },
): AggregateFeature<number | null> {
  const roundToMs = parseDurationMs(options.roundTo)
  if (roundToMs < MINUTE_MS) throw new DefinitionError('recency: roundTo is below a minute', "Use '1m' or more.")
  const { roundTo: _, ...rest } = options
  return { ...aggregate<E, number | null>('recency', event, undefined, rest), roundToMs }
}

/** One aggregate over another; null where either is null or the denominator is 0. */
export function ratio(
  numerator: AggregateFeature<number> | AggregateFeature<number | null>,
  denominator: AggregateFeature<number> | AggregateFeature<number | null>,
): RatioFeature<number | null> {
  return { kind: 'ratio', numerator, denominator }
}

function aggregate<E extends EventContract, Value>(
  name: AggregateName,
  event: E,
  fieldName: string | undefined,
  options: WindowOptions<E>,
): AggregateFeature<Value> {
  const field = fieldName === undefined ? undefined : event.fields[fieldName]
  const where = `${name}(${event.type}${fieldName === undefined ? '' : `, ${fieldName}`})`
  if (fieldName !== undefined && field === undefined) {
    throw new DefinitionError(`${where}: no such field`, `Fields: ${Object.keys(event.fields).join(', ')}.`)
  }
  const isNumeric = name === 'sum' || name === 'mean' || name === 'min' || name === 'max'
  if (isNumeric && field?.kind !== 'number') throw new DefinitionError(`${where}: not a number`, 'Use a number field.')
  const scale = field?.kind === 'number' ? field.scale : undefined
  if ((name === 'sum' || name === 'mean') && scale === undefined) {
    throw new DefinitionError(`${where}: the field has no scale`, 'Declare it: number({ scale: 2 }). Sums are exact.')
  }
  return {
    kind: 'aggregate',
    aggregate: name,
    event,
    field: fieldName,
    scale,
    where: normaliseWhere(event, options.where),
    withinMs: options.within === undefined ? undefined : within(where, options.within),
    roundToMs: undefined,
  }
}

function within(where: string, duration: Duration): number {
  const withinMs = parseDurationMs(duration)
  if (withinMs < WITHIN_MIN_MS || withinMs > WITHIN_MAX_MS) {
    throw new DefinitionError(`${where}: within ${duration}`, "Use '1m' to '731d', or leave it out for a lifetime.")
  }
  return withinMs
}

export interface FeatureSet<Features extends Readonly<Record<string, Feature>> = Readonly<Record<string, Feature>>> {
  readonly kind: 'features'
  readonly features: Features
}

const NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/
/** Columns that a snapshot has beside the features; SQL does not tell upper from lower case. */
const RESERVED_NAMES = ['user_id', 'as_of', 'version', 'pending', 'predictions', '__proto__']
/** Each feature is evaluated at every event of its user; beyond this a batch no longer fits a function's time. */
export const FEATURES_MAX = 500

/** All features of a user. Throws DefinitionError. */
export function features<const Features extends Readonly<Record<string, Feature>>>(
  input: Features,
): FeatureSet<Features> {
  const names = Object.keys(input)
  if (names.length > FEATURES_MAX) throw new DefinitionError(`${names.length} features`, `Keep to ${FEATURES_MAX}.`)
  const taken = new Set(RESERVED_NAMES)
  for (const name of names) {
    if (taken.has(name.toLowerCase())) {
      throw new DefinitionError(
        `The feature name "${name}" is taken, upper and lower case being one`,
        'Rename the feature.',
      )
    }
    taken.add(name.toLowerCase())
    if (!NAME_PATTERN.test(name))
      throw new DefinitionError(`"${name}" is not a feature name`, 'Use letters, digits and _.')
  }
  return { kind: 'features', features: input }
}

/** What a GET answers for these features, as a TypeScript type. */
export type ValuesOf<Set extends FeatureSet> = {
  readonly [Name in keyof Set['features']]: Set['features'][Name] extends Feature<infer Value> ? Value | null : never
}
