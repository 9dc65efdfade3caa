import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import { evaluateFeatures } from '../../src/features/evaluate.ts'
import { exportRows, type Instant } from '../../src/features/export-rows.ts'
import { compileFeatures } from '../../src/features/plan.ts'
import { foldState } from '../../src/features/state.ts'
import { customer, eventsArbitrary, orderEvent, START } from './factories.ts'

const plan = compileFeatures(customer)
const DAY = 86_400_000
const USERS = ['ana', 'ben', 'cy']

/** The slow way: for each instant, all events of its user before it, folded anew. */
function fromScratch(events: readonly DecodedEvent[], { userId, time }: Instant) {
  const before = events.filter(event => event.userId === userId && event.ts <= time - 1)
  const { state, at } = foldState({
    plan,
    state: undefined,
    previousAt: undefined,
    previousVersion: undefined,
    events: before,
  })
  return evaluateFeatures(plan, state, at, time - 1)
}

async function exported(events: readonly DecodedEvent[], instants: readonly Instant[]) {
  const rows = []
  for await (const row of exportRows(plan, { events, instants })) rows.push(row)
  return rows
}

const byTime = <T extends { readonly ts: number }>(events: readonly T[]): T[] => [...events].sort((a, b) => a.ts - b.ts)

const instantsArbitrary = fc.array(
  fc.record({ userId: fc.constantFrom(...USERS, 'nobody'), offsetMs: fc.integer({ min: -DAY, max: 140 * DAY }) }),
  { maxLength: 12 },
)

describe('exportRows', () => {
  it('equals each instant evaluated from scratch, and keeps their order', async () => {
    await fc.assert(
      fc.asyncProperty(
        eventsArbitrary,
        instantsArbitrary,
        fc.array(fc.nat(40), { maxLength: 6 }),
        async (anas, free, beside) => {
          const events = byTime(anas.map((event, index) => ({ ...event, userId: USERS[index % 3] ?? 'ana' })))
          // Instants at an event's own time and one millisecond beside it are where one counted too many would show.
          const onEvents = beside.flatMap(pick => {
            const event = events[pick % Math.max(1, events.length)]
            return event === undefined ? [] : [0, 1].map(ms => ({ userId: event.userId, time: event.ts + ms }))
          })
          const instants = [...free.map(({ userId, offsetMs }) => ({ userId, time: START + offsetMs })), ...onEvents]
          instants.sort((a, b) => a.time - b.time)

          const rows = await exported(events, instants)

          expect(rows.map(row => row.instant)).toEqual(instants)
          expect(rows.map(row => row.features)).toEqual(instants.map(instant => fromScratch(events, instant)))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('does not count an event at the very instant, and counts it one millisecond later', async () => {
    const rows = await exported(
      [orderEvent(1, START)],
      [
        { userId: 'ana', time: START },
        { userId: 'ana', time: START + 1 },
      ],
    )
    expect(rows.map(row => row.features.values['ordersEver'])).toEqual([0, 1])
  })

  it('reads no event beyond the last instant', async () => {
    let read = 0
    function* events() {
      for (let id = 0; id < 100; id++) {
        read++
        yield orderEvent(id, START + id * DAY)
      }
    }
    const rows = []
    for await (const row of exportRows(plan, {
      events: events(),
      instants: [{ userId: 'ana', time: START + 3 * DAY }],
    })) {
      rows.push(row)
    }
    expect(rows[0]?.features.values['ordersEver']).toBe(3)
    expect(read).toBe(4)
  })

  it('refuses events and instants that go back in time', async () => {
    const later = { userId: 'ana', time: START + 9 * DAY }
    await expect(exported([orderEvent(1, START + 5), orderEvent(2, START + 4)], [later])).rejects.toMatchObject({
      code: 'not-in-order-of-time',
    })
    await expect(exported([], [later, { userId: 'ana', time: START }])).rejects.toMatchObject({
      code: 'not-in-order-of-time',
    })
  })
})
