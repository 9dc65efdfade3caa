// Which events a feature's value is made of at an instant, and when time alone may change it: every event of the user is asked by
// itself, as docs/features.md defines what counts. No state, no tiles.
import type { DecodedEvent, FieldValue } from '../event/decoded-event.ts'
import type { AggregateFeature } from '../features/feature.ts'
import { holds } from '../features/where.ts'
import { decayWindow, leavesAt, type Window, windowOf, windowStart } from '../features/windows.ts'

export interface Evidence {
  readonly feature: AggregateFeature
  /** Those that count, oldest first. */
  readonly events: readonly DecodedEvent[]
  /** Of the field over these events, where it is a number. */
  readonly sum: number | undefined
}

export function evidenceOf(feature: AggregateFeature, events: readonly DecodedEvent[], t: number): Evidence {
  const window = windowFor(feature)
  const from = window === undefined ? Number.NEGATIVE_INFINITY : windowStart(window, t)
  const counted = events
    .filter(event => event.ts >= from && event.ts <= t && isOf(feature, event))
    .sort((a, b) => a.ts - b.ts || (a.idHash < b.idHash ? -1 : 1))
  return { feature, events: counted, sum: sumOf(feature, counted) }
}

/** The next instant after t at which the value may change though no event comes; undefined: never. */
export function nextStep({ feature, events }: Evidence, t: number): number | undefined {
  const window = windowFor(feature)
  const [oldest] = events
  const instants = [
    ...(window === undefined || oldest === undefined ? [] : [leavesAt(window, oldest.ts)]),
    ...ownSteps(feature, events, t),
  ]
  return instants.length === 0 ? undefined : Math.min(...instants)
}

function windowFor({ aggregate, withinMs, stateParameters }: AggregateFeature): Window | undefined {
  if (aggregate === 'decayed') return decayWindow(Number(stateParameters['halfLifeMs']))
  return withinMs === undefined ? undefined : windowOf(withinMs)
}

function isOf({ event: { type }, where, field, by }: AggregateFeature, event: DecodedEvent): boolean {
  if (event.type !== type || !holds(where, event.fields)) return false
  return [field, by?.field].every(name => name === undefined || valueOf(event, name) !== null)
}

function valueOf(event: DecodedEvent, field: string): FieldValue {
  return event.fields.get(field) ?? null
}

/** Exact at the field's scale. */
function sumOf({ event, field, scale }: AggregateFeature, events: readonly DecodedEvent[]): number | undefined {
  if (field === undefined || event.fields[field]?.kind !== 'number') return undefined
  const values = events.map(one => Number(valueOf(one, field)))
  if (scale === undefined) return values.reduce((total, value) => total + value, 0)
  return Number(values.reduce((total, value) => total + BigInt(value), 0n)) / 10 ** scale
}

/** Of aggregates whose value is one of time itself. */
function ownSteps(feature: AggregateFeature, events: readonly DecodedEvent[], t: number): readonly number[] {
  if (events.length === 0) return []
  switch (feature.aggregate) {
    case 'recency': {
      const roundToMs = Number(feature.readParameters['roundToMs'])
      // By a field, each group has a newest of its own.
      return events.map(({ ts }) => ts + after(t - ts, roundToMs))
    }
    case 'streak':
      return [after(t, Number(feature.stateParameters['everyMs']))]
    case 'decayed':
      return [after(t, decayWindow(Number(feature.stateParameters['halfLifeMs'])).hopMs)]
    default:
      return []
  }
}

/** The first multiple of the step after the instant. */
function after(ms: number, step: number): number {
  return (Math.floor(ms / step) + 1) * step
}
