// One aggregate, checked and made canonical: what all builders have in common. Errors here are for those who write JavaScript;
// TypeScript has refused the same before.
import type { EventContract } from '../event/contract.ts'
import { DefinitionError } from '../event/errors.ts'
import type { Json } from '../platform/canonical-json.ts'
import { type Duration, parseDurationMs } from '../platform/duration.ts'
import type { AggregateFeature, AggregateName, Grouping } from './feature.ts'
import { normaliseWhere } from './where.ts'
import { WITHIN_MAX_MS, WITHIN_MIN_MS } from './windows.ts'

export interface AggregateOptions {
  readonly within?: Duration | undefined
  readonly where?: Readonly<Record<string, unknown>> | undefined
  readonly by?: string | undefined
  readonly keys?: number | undefined
}

export interface AggregateParameters {
  readonly state?: Readonly<Record<string, Json>>
  readonly read?: Readonly<Record<string, Json>>
}

const NUMERIC: readonly AggregateName[] = ['sum', 'mean', 'min', 'max', 'variance', 'stddev', 'percentile', 'histogram']
/** Each key costs what its aggregate costs, in every tile of the window. */
export const KEYS_MAX = 256
const KEYS_DEFAULT = 32
/** What a builder has beside these it takes out itself. */
const OPTIONS: readonly string[] = ['within', 'where', 'by', 'keys'] satisfies readonly (keyof AggregateOptions)[]

/** Throws DefinitionError. */
export function aggregateFeature<Value>(
  aggregate: AggregateName,
  event: EventContract,
  fieldName: string | undefined,
  options: AggregateOptions,
  parameters: AggregateParameters = {},
): AggregateFeature<Value> {
  const place = `${aggregate}(${event.type}${fieldName === undefined ? '' : `, ${fieldName}`})`
  const field = fieldName === undefined ? undefined : existingField(place, event, fieldName)
  const unknown = Object.keys(options).find(name => !OPTIONS.includes(name))
  if (unknown !== undefined)
    throw new DefinitionError(`${place}: there is no option "${unknown}"`, 'Correct its name, or leave it out.')
  const isNumeric = NUMERIC.includes(aggregate) || (aggregate === 'decayed' && fieldName !== undefined)
  if (isNumeric && field?.kind !== 'number') throw new DefinitionError(`${place}: not a number`, 'Use a number field.')
  return {
    kind: 'aggregate',
    aggregate,
    event,
    field: fieldName,
    scale: field?.kind === 'number' ? field.scale : undefined,
    where: normaliseWhere(event, options.where),
    withinMs: options.within === undefined ? undefined : withinMsOf(place, options.within),
    by: groupingOf(place, event, options),
    stateParameters: parameters.state ?? {},
    readParameters: parameters.read ?? {},
  }
}

/** Throws DefinitionError. */
export function wholeNumber(
  place: string,
  what: string,
  value: number,
  [least, most]: readonly [number, number],
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new DefinitionError(`${place}: ${what} is ${value}`, `Use a whole number from ${least} to ${most}.`)
}

export function existingField(place: string, event: EventContract, name: string) {
  const field = event.fields[name]
  if (field !== undefined) return field
  throw new DefinitionError(`${place}: no field "${name}"`, `Fields: ${Object.keys(event.fields).join(', ')}.`)
}

export function groupingOf(place: string, event: EventContract, { by, keys }: AggregateOptions): Grouping | undefined {
  if (by === undefined) {
    if (keys !== undefined)
      throw new DefinitionError(`${place}: keys without by`, 'Say by which field, or leave it out.')
    return undefined
  }
  existingField(place, event, by)
  return { field: by, keysMax: wholeNumber(place, 'keys', keys ?? KEYS_DEFAULT, [1, KEYS_MAX]) }
}

function withinMsOf(place: string, duration: Duration): number {
  const withinMs = parseDurationMs(duration)
  if (withinMs >= WITHIN_MIN_MS && withinMs <= WITHIN_MAX_MS) return withinMs
  throw new DefinitionError(`${place}: within ${duration}`, "Use '1m' to '731d', or leave it out for a lifetime.")
}
