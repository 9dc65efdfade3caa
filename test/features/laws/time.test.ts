// Features are step functions: between the two instants that an answer names nothing changes, and at the second the next step begins.
// What windows a definition has beside a feature's own changes nothing either.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluateFeatures } from '../../../src/features/evaluate.ts'
import { DAY, events, offsetMs } from '../arbitrary-events.ts'
import { definition } from '../arbitrary-features.ts'
import { batches, compare, compiled, foldDeliveries, NEVER_LATE } from '../fold-deliveries.ts'
import { PROPERTY_MS_MAX, propertyRuns } from '../property-runs.ts'

const folded = events.chain(batches)

describe('features of any definition', () => {
  it(
    'change nowhere between asOf and freshUntil, and are the obvious ones on both sides of it',
    () => {
      const share = fc.double({ min: 0, max: 1, noNaN: true })
      fc.assert(
        fc.property(definition, folded, offsetMs, share, ({ set }, delivered, laterMs, where) => {
          const made = compiled(set)
          const user = foldDeliveries(made, delivered, NEVER_LATE)
          const t = user.item.at + laterMs
          const { body } = compare(made, set, user, t)
          const until = body.freshUntil ?? t + 2000 * DAY
          expect(body.asOf).toBeLessThanOrEqual(t)
          expect(until).toBeGreaterThan(t)
          const between = body.asOf + Math.floor((until - 1 - body.asOf) * where)
          for (const instant of [body.asOf, between, until - 1]) {
            const again = compare(made, set, user, instant)
            expect(again.wrong).toEqual([])
            expect(JSON.stringify(again.body)).toBe(JSON.stringify(body))
          }
          if (body.freshUntil === undefined) return
          const next = compare(made, set, user, body.freshUntil)
          expect(next.wrong).toEqual([])
          expect(next.body.asOf).toBe(body.freshUntil)
        }),
        propertyRuns(150),
      )
    },
    PROPERTY_MS_MAX,
  )

  it(
    'are the same where the definition has more windows over their states, and so finer tiles',
    () => {
      fc.assert(
        fc.property(definition, folded, offsetMs, ({ set, wider }, delivered, laterMs) => {
          const [own, more] = [set, wider].map(each => {
            const made = compiled(each)
            const { item } = foldDeliveries(made, delivered, NEVER_LATE)
            return evaluateFeatures(made.features, item.state, item.at, item.at + laterMs).values
          })
          const names = Object.keys(set.features)
          const valuesOf = (values: typeof own) => JSON.stringify(names.map(name => values?.[name]))
          expect(valuesOf(more)).toBe(valuesOf(own))
        }),
        propertyRuns(250),
      )
    },
    PROPERTY_MS_MAX,
  )
})
