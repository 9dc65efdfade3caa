import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import { aggregatesOf, type AggregateFeature, type Grouped } from '../../src/features/feature.ts'
import { evidenceOf } from '../../src/replay/explain-evidence.ts'
import { explainMoment, nextChange } from '../../src/replay/explain-features.ts'
import { obviousFeatures } from '../../src/replay/obvious-features.ts'
import { events, offsetMs, START } from '../features/arbitrary-events.ts'
import { definition } from '../features/arbitrary-features.ts'
import { PROPERTY_MS_MAX, propertyRuns } from '../features/property-runs.ts'

/** How many events count, asked of the independent implementation; by a field, those of all groups. */
function countOf(feature: AggregateFeature, list: readonly DecodedEvent[], t: number): number {
  const counted: AggregateFeature = { ...feature, aggregate: 'count' }
  const value = obviousFeatures({ kind: 'features', features: { counted } }, list, t)['counted']
  if (typeof value === 'number') return value
  const { groups, other = 0 } = value as unknown as Grouped<number>
  return Object.values(groups).reduce((total, count) => total + count, other)
}

it(
  'the events of a feature are those that the independent implementation counts',
  () => {
    fc.assert(
      fc.property(definition, events, offsetMs, ({ set }, list, offset) => {
        const t = Math.max(START + offset, ...list.map(({ ts }) => ts))
        for (const feature of Object.values(set.features).flatMap(aggregatesOf)) {
          if (feature.aggregate === 'decayed') continue
          expect(evidenceOf(feature, list, t).events).toHaveLength(countOf(feature, list, t))
        }
      }),
      propertyRuns(100),
    )
  },
  PROPERTY_MS_MAX,
)

it(
  'nothing changes before the next change, and then what was said',
  () => {
    let changed = 0
    fc.assert(
      fc.property(definition, events, offsetMs, ({ set }, list, offset) => {
        const now = explainMoment(set, list, START + offset)
        const next = nextChange(set, now)
        const before = obviousFeatures(set, list, now.atMs)
        if (next === undefined) {
          expect(obviousFeatures(set, list, now.atMs + 2_000 * 86_400_000)).toEqual(before)
          return
        }
        expect(next.atMs).toBeGreaterThan(now.atMs)
        expect(obviousFeatures(set, list, next.atMs - 1)).toEqual(before)
        const after = obviousFeatures(set, list, next.atMs)
        for (const { name, from, to } of next.changes) expect([before[name], after[name]]).toEqual([from, to])
        changed += next.changes.length
      }),
      propertyRuns(60),
    )
    expect(changed).toBeGreaterThan(30)
  },
  PROPERTY_MS_MAX,
)
