// Old and new definitions folding one user: what is answered is right or pending, never wrong.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { events, offsetMs } from '../arbitrary-events.ts'
import { definition } from '../arbitrary-features.ts'
import { batches, compare, compiled, foldDeliveries, NEVER_LATE } from '../fold-deliveries.ts'
import { PROPERTY_MS_MAX, propertyRuns } from '../property-runs.ts'

/** Definitions that share states, and those that share nothing. */
const pair = fc.oneof(
  definition.map(({ set, wider }) => [set, wider] as const),
  definition.map(({ set, wider }) => [wider, set] as const),
  fc.tuple(definition, definition).map(([one, other]) => [one.set, other.set] as const),
)

describe('features of a definition that others folded for, too', () => {
  it(
    'are right or pending, never wrong, whichever folded each batch',
    () => {
      let answered = 0
      let waiting = 0
      fc.assert(
        fc.property(pair, events.chain(batches), fc.nat(), offsetMs, (sets, delivered, turns, laterMs) => {
          const made = sets.map(compiled)
          const [first] = made
          if (first === undefined) throw new Error('There are two.')
          let user = foldDeliveries(first, delivered.slice(0, 1), NEVER_LATE)
          for (const [index, batch] of delivered.entries()) {
            // Which of the two folds this batch: a bit each.
            const which = (turns >> (index % 31)) & 1
            if (index > 0) user = foldDeliveries(made[which] ?? first, [batch], NEVER_LATE, user)
            for (const [place, set] of sets.entries()) {
              for (const t of [user.item.at, user.item.at + laterMs]) {
                const { body, wrong } = compare(made[place] ?? first, set, user, t)
                expect(wrong).toEqual([])
                const pending = Object.keys(body.pending ?? {})
                for (const name of pending) expect(body.values[name]).toBeNull()
                waiting += pending.length
                answered += Object.keys(body.values).length - pending.length
              }
            }
          }
        }),
        propertyRuns(150),
      )
      expect(Math.min(answered, waiting)).toBeGreaterThan(500)
    },
    PROPERTY_MS_MAX,
  )
})
