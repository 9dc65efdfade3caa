// A feature in words, as a line of a plan: `count(order.placed) within 30d where gift is true by item (32 keys)`.
import { expressionText } from '../features/describe.ts'
import type { AggregateFeature, Feature } from '../features/feature.ts'
import type { Term } from '../features/where.ts'
import type { Json } from '../platform/canonical-json.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../platform/duration.ts'

export function featureText(feature: Feature): string {
  switch (feature.kind) {
    case 'derived':
      return expressionText(feature.expression)
    case 'ratio':
      return `${featureText(feature.numerator)} over ${featureText(feature.denominator)}`
    case 'aggregate':
      return aggregateText(feature)
  }
}

/** The longest unit that says it whole: `36h`, `90d`. */
export function durationText(ms: number): string {
  if (ms === 0) return '0s'
  if (ms % DAY_MS === 0) return `${ms / DAY_MS}d`
  if (ms % HOUR_MS === 0) return `${ms / HOUR_MS}h`
  if (ms % MINUTE_MS === 0) return `${ms / MINUTE_MS}m`
  return `${ms / SECOND_MS}s`
}

/** A member of a definition: those that end in `Ms` are durations, and a window that is null is the whole life. */
export function memberText(name: string, value: Json | undefined): string {
  if (name === 'withinMs' && value === null) return 'the whole life'
  if (name.endsWith('Ms') && typeof value === 'number') return durationText(value)
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return 'nothing'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function aggregateText({ aggregate, event, field, withinMs, where, by, ...rest }: AggregateFeature): string {
  const parameters = Object.entries({ ...rest.stateParameters, ...rest.readParameters })
  return [
    `${aggregate}(${[event.type, ...(field === undefined ? [] : [field])].join(', ')})`,
    ...(withinMs === undefined ? [] : [`within ${durationText(withinMs)}`]),
    ...(where.length === 0 ? [] : [`where ${where.map(term => termText(term, event.fields)).join(' and ')}`]),
    ...(by === undefined ? [] : [`by ${by.field} (${by.keysMax} keys)`]),
    ...parameters.map(([name, value]) => `${name.replace(/Ms$/, '')} ${memberText(name, value)}`),
  ].join(' ')
}

function termText({ field: name, operator, value }: Term, fields: AggregateFeature['event']['fields']): string {
  const field = fields[name]
  const scale = field?.kind === 'number' ? (field.scale ?? 0) : 0
  const plain = typeof value === 'number' ? value / 10 ** scale : value
  return `${name} ${operator} ${Array.isArray(plain) ? plain.join(', ') : String(plain)}`
}
