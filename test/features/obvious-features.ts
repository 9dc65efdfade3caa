// The slow, obvious implementation: features straight from the definition of a window, over the list of all events. It shares
// no code with the fold but the definitions' data.
import type { AggregateFeature, Feature } from '../../src/features/feature.ts'
import type { DecodedEvent, FieldValue } from '../../src/event/decoded-event.ts'

const MINUTE = 60_000

function hop(withinMs: number): number {
  if (withinMs <= 120 * MINUTE) return MINUTE
  if (withinMs <= 1440 * MINUTE) return 5 * MINUTE
  if (withinMs <= 14 * 1440 * MINUTE) return 60 * MINUTE
  return 1440 * MINUTE
}

export function obviousValue(feature: Feature, events: readonly DecodedEvent[], t: number): FieldValue {
  if (feature.kind === 'ratio') {
    const a = obviousValue(feature.numerator, events, t)
    const b = obviousValue(feature.denominator, events, t)
    return a === null || b === null || b === 0 ? null : Number(a) / Number(b)
  }
  if (feature.kind === 'derived') throw new Error('none here')
  const counted = events
    .filter(event => event.type === feature.event.type && event.ts <= t)
    .filter(
      event =>
        feature.withinMs === undefined ||
        event.ts >= Math.floor((t - feature.withinMs) / hop(feature.withinMs)) * hop(feature.withinMs),
    )
    .filter(event => matches(feature, event))
    .sort((a, b) => a.ts - b.ts || (a.idHash < b.idHash ? -1 : 1))
  const newest = counted.at(-1)
  if (feature.aggregate === 'recency') {
    const step = Number(feature.readParameters['roundToMs'])
    return newest === undefined ? null : (Math.floor((t - newest.ts) / step) * step) / 1000
  }
  if (feature.aggregate === 'count') return counted.length
  const values = counted.map(event => event.fields.get(feature.field ?? '') ?? null).filter(value => value !== null)
  const divisor = 10 ** (feature.scale ?? 0)
  const total = values.reduce(
    (sum, value) => sum + BigInt(typeof value === 'number' && Number.isInteger(value) ? value : 0),
    0n,
  )
  switch (feature.aggregate) {
    case 'sum':
      return Number(total) / divisor
    case 'mean':
      return values.length === 0 ? null : Number(total) / (values.length * divisor)
    case 'min':
      return values.length === 0 ? null : Math.min(...(values as number[])) / divisor
    case 'max':
      return values.length === 0 ? null : Math.max(...(values as number[])) / divisor
    case 'last': {
      const value = values.at(-1) ?? null
      return typeof value === 'number' ? value / divisor : value
    }
    default:
      throw new Error(`none here: ${feature.aggregate}`)
  }
}

function matches(feature: AggregateFeature, event: DecodedEvent): boolean {
  return feature.where.every(({ field, operator, value }) => {
    const actual = event.fields.get(field)
    if (actual === null || actual === undefined) return false
    if (operator === 'is') return actual === value
    if (operator === 'in') return (value as readonly unknown[]).includes(actual)
    const [left, right] = [Number(actual), Number(value)]
    return { above: left > right, atLeast: left >= right, below: left < right, atMost: left <= right }[operator]
  })
}
