// The first laws of features, over any definition and any events: they are what the independent implementation says, and the order
// in which events came leaves no trace.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluateFeatures } from '../../../src/features/evaluate.ts'
import { stateJson } from '../../../src/features/state.ts'
import { events, offsetMs } from '../arbitrary-events.ts'
import { definition } from '../arbitrary-features.ts'
import { type Bounds, compare, compiled, deliveries, foldDeliveries, NEVER_LATE } from '../fold-deliveries.ts'
import { PROPERTY_MS_MAX, propertyRuns } from '../property-runs.ts'

const bounds = fc.record<Bounds>({
  idsMax: fc.constantFrom(2, 8, 10_000),
  latenessMs: fc.constantFrom(60_000, 86_400_000, Number.MAX_SAFE_INTEGER),
})

describe('features of any definition', () => {
  it(
    'are the obvious ones at any instant, however events were mixed, cut into batches, delivered again and late',
    () => {
      fc.assert(
        fc.property(definition, events.chain(deliveries), bounds, offsetMs, ({ set }, batches, limits, laterMs) => {
          const made = compiled(set)
          const user = foldDeliveries(made, batches, limits)
          const ids = user.folded.map(event => event.idHash)
          expect(new Set(ids).size).toBe(ids.length)
          if (limits.idsMax >= 10_000 && limits.latenessMs > 1e15) expect(new Set(batches.flat()).size).toBe(ids.length)
          for (const t of [user.item.at, user.item.at + laterMs]) {
            const { body, wrong } = compare(made, set, user, t)
            expect(wrong).toEqual([])
            expect(body.pending).toBeUndefined()
          }
        }),
        propertyRuns(250),
      )
    },
    PROPERTY_MS_MAX,
  )

  it(
    'and their state are the same bytes in whatever order and batches events came',
    () => {
      const twice = events.chain(list => fc.tuple(deliveries(list), deliveries(list)))
      fc.assert(
        fc.property(definition, twice, offsetMs, ({ set }, [one, other], laterMs) => {
          const made = compiled(set)
          const [first, second] = [one, other].map(batches => {
            const user = foldDeliveries(made, batches, NEVER_LATE)
            const { state, at } = user.item
            const body = evaluateFeatures(made.features, state, at, at + laterMs)
            return { state: stateJson(state), features: JSON.stringify(body) }
          })
          expect(second).toEqual(first)
        }),
        propertyRuns(150),
      )
    },
    PROPERTY_MS_MAX,
  )
})
