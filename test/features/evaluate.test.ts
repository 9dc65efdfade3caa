import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import { count, features, last, mean, recency, sum } from '../../src/features/define.ts'
import { evaluateFeatures } from '../../src/features/evaluate.ts'
import { compileFeatures } from '../../src/features/plan.ts'
import { foldState, stateJson, stateProblem, type UserState } from '../../src/features/state.ts'
import { customer, eventsArbitrary, order, orderEvent, START } from './factories.ts'
import { obviousValue } from './obvious-features.ts'

const plan = compileFeatures(customer)
const DAY = 86_400_000

interface Folded {
  state: UserState
  at: number
}

function foldAll(batches: readonly (readonly DecodedEvent[])[], usedPlan = plan): Folded {
  let folded: Folded | undefined
  let version = 0
  for (const events of batches) {
    const state = folded === undefined ? undefined : (JSON.parse(stateJson(folded.state)) as UserState)
    folded = foldState({ plan: usedPlan, state, previousAt: folded?.at, previousVersion: version || undefined, events })
    version++
  }
  if (folded === undefined) throw new Error('no batch')
  return folded
}

function split<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = []
  for (let index = 0; index < items.length; index += size) result.push(items.slice(index, index + size))
  return result
}

const nonEmpty = eventsArbitrary.filter(events => events.length > 0)

describe('evaluateFeatures', () => {
  it('equals the definition at any instant, whatever the batches and the order', () => {
    fc.assert(
      fc.property(
        nonEmpty.chain(events =>
          fc.tuple(fc.shuffledSubarray(events, { minLength: events.length }), fc.constant(events)),
        ),
        fc.integer({ min: 1, max: 7 }),
        fc.oneof(fc.integer({ min: 0, max: 100 * DAY }), fc.integer({ min: 0, max: 2 * DAY })),
        ([shuffled, events], batchSize, laterMs) => {
          const { state, at } = foldAll(split(shuffled, batchSize))
          const t = at + laterMs
          const body = evaluateFeatures(plan, state, at, t)
          for (const [name, feature] of Object.entries(customer.features)) {
            expect(`${name}: ${body.values[name]}`).toBe(`${name}: ${obviousValue(feature, events, t)}`)
          }
          expect(body.pending).toBeUndefined()
        },
      ),
      { numRuns: 400 },
    )
  })

  it('gives the same state bytes for the same events in any order', () => {
    fc.assert(
      fc.property(
        nonEmpty.chain(events =>
          fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })),
        ),
        fc.integer({ min: 1, max: 5 }),
        ([events, shuffled], batchSize) => {
          expect(stateJson(foldAll(split(shuffled, batchSize)).state)).toBe(stateJson(foldAll([events]).state))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('changes nowhere between asOf and freshUntil, and says the same of every instant there', () => {
    fc.assert(
      fc.property(
        nonEmpty,
        fc.integer({ min: 0, max: 100 * DAY }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (events, laterMs, share) => {
          const { state, at } = foldAll([events])
          const body = evaluateFeatures(plan, state, at, at + laterMs)
          expect(body.asOf).toBeLessThanOrEqual(at + laterMs)
          const until = body.freshUntil ?? body.asOf + 400 * DAY
          expect(until).toBeGreaterThan(at + laterMs)
          const inside = body.asOf + Math.floor((until - 1 - body.asOf) * share)
          for (const instant of [body.asOf, inside, until - 1]) {
            expect(evaluateFeatures(plan, state, at, instant)).toEqual(body)
          }
          if (body.freshUntil !== undefined)
            expect(evaluateFeatures(plan, state, at, body.freshUntil).asOf).toBe(body.freshUntil)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('answers 0 for a 30-day count of a user silent for 31 days', () => {
    const { state, at } = foldAll([[orderEvent(1, START)]])
    expect(evaluateFeatures(plan, state, at, START).values['orders30d']).toBe(1)
    expect(evaluateFeatures(plan, state, at, START + 31 * DAY).values['orders30d']).toBe(0)
  })

  it('keeps a feature that is newer than the item null until its window holds only what was folded since', () => {
    const older = compileFeatures(features({ orders30d: count(order, { within: '30d' }) }))
    const newer = compileFeatures(
      features({
        orders30d: count(order, { within: '30d' }),
        gifts2h: count(order, { within: '2h', where: { gift: true } }),
        ever: count(order),
        orders90d: count(order, { within: '90d' }),
        orders1h: count(order, { within: '1h' }),
        sinceGift: recency(order, { roundTo: '1h', where: { gift: true } }),
      }),
    )
    const first = foldAll([[orderEvent(1, START + 10 * 3_600_000, { gift: true })]], older)
    const before = evaluateFeatures(newer, first.state, first.at, first.at)
    expect(Object.keys(before.pending ?? {})).toEqual(['ever', 'gifts2h', 'orders1h', 'orders90d', 'sinceGift'])
    expect(before.values['orders30d']).toBe(1)

    const next = foldState({
      plan: newer,
      state: first.state,
      previousAt: first.at,
      previousVersion: 1,
      events: [orderEvent(2, START + 13 * 3_600_000, { gift: true })],
    })
    const after = evaluateFeatures(newer, next.state, next.at, next.at)
    expect(after.values).toMatchObject({ gifts2h: 1, orders30d: 2, sinceGift: 0, ever: null, orders90d: null })
    const dayLater = evaluateFeatures(newer, next.state, next.at, START + DAY + 3_600_000)
    expect(dayLater.values['orders1h']).toBe(0)
    expect(dayLater.pending).toEqual({ ever: 'backfilling', orders90d: 'backfilling' })
  })

  it.each([
    ['2h', 120, 1],
    ['121m', 121, 5],
    ['1d', 1440, 5],
    ['25h', 1500, 60],
    ['14d', 20_160, 60],
    ['15d', 21_600, 1440],
  ] as const)('counts in a window of %s what is at its start, until it hops on', (within, minutes, hopMinutes) => {
    const windowed = compileFeatures(
      features({ orders: count(order, { within }), channel: last(order, 'channel', { within }) }),
    )
    const start = START + 60 * DAY
    const { state, at } = foldAll([[orderEvent(1, start - 1), orderEvent(2, start)]], windowed)
    const hopsOn = start + (minutes + hopMinutes) * 60_000
    const before = evaluateFeatures(windowed, state, at, hopsOn - 1)
    expect(before).toMatchObject({ values: { orders: 1, channel: 'web' }, freshUntil: hopsOn })
    expect(evaluateFeatures(windowed, state, at, hopsOn).values).toEqual({ orders: 0, channel: null })
  })

  it('gives mean and last of a field with a scale as the decimals that were sent', () => {
    const decimals = compileFeatures(
      features({ mean: mean(order, 'amount', { within: '7d' }), last: last(order, 'amount') }),
    )
    const events = [orderEvent(1, START, { amount: 1999 }), orderEvent(2, START + 1, { amount: 1000 })]
    const { state, at } = foldAll([events], decimals)
    expect(evaluateFeatures(decimals, state, at, at).values).toEqual({ last: 10, mean: 14.995 })
  })

  it('takes of two events at one instant the same for the newest, whichever came first', () => {
    const newest = compileFeatures(features({ channel: last(order, 'channel') }))
    const tied = [orderEvent(1, START, { channel: 'web' }), orderEvent(2, START, { channel: 'app' })]
    const inOrder = foldAll([tied], newest)
    expect(foldAll([tied.toReversed()], newest)).toEqual(inOrder)
    expect(foldAll(split(tied.toReversed(), 1), newest)).toEqual(inOrder)
  })

  it.each([
    ['before the hour', 3_599_999, 3_600_000],
    ['at the hour', 3_600_000, 7_200_000],
  ])('is pending until no event up to the newest one, %s, is in the window', (_, newestMs, completeMs) => {
    const older = compileFeatures(features({ orders: count(order) }))
    const newer = compileFeatures(features({ orders: count(order), orders7d: count(order, { within: '7d' }) }))
    const { state, at } = foldAll([[orderEvent(1, START + newestMs)]], older)
    const complete = START + completeMs + 7 * DAY
    const waiting = evaluateFeatures(newer, state, at, complete - 1)
    expect(waiting).toMatchObject({ pending: { orders7d: 'backfilling' }, freshUntil: complete })
    const done = evaluateFeatures(newer, state, at, complete)
    expect(done.values).toEqual({ orders: 1, orders7d: 0 })
    expect(done.pending).toBeUndefined()
  })

  it('knows the newest of what is newer than the item from the instant after its newest event', () => {
    const older = compileFeatures(features({ orders: count(order) }))
    const newer = compileFeatures(features({ orders: count(order), channel: last(order, 'channel') }))
    const channelAfter = (ms: number) => {
      const { state, at } = foldAll([[orderEvent(1, START)]], older)
      const events = [orderEvent(2, at + ms)]
      const next = foldState({ plan: newer, state, previousAt: at, previousVersion: 1, events })
      return evaluateFeatures(newer, next.state, next.at, next.at).values['channel']
    }
    expect([channelAfter(0), channelAfter(1)]).toEqual([null, 'web'])
  })

  it('sums exactly below −2^53', () => {
    const total = compileFeatures(features({ points: sum(order, 'points') }))
    const events = [-Number.MAX_SAFE_INTEGER, -2, Number.MAX_SAFE_INTEGER].map((points, id) =>
      orderEvent(id, START + id, { points }),
    )
    const { state, at } = foldAll(split(events, 1), total)
    expect(evaluateFeatures(total, state, at, at).values).toEqual({ points: -2 })
  })

  it('carries members of an entry that a newer layout wrote', () => {
    const { state, at } = foldAll([[orderEvent(1, START)]])
    const [key = ''] = plan.states.keys()
    const written = { ...state, [key]: { ...state[key], sketch: [1, 2] } }
    const next = foldState({ plan, state: written, previousAt: at, previousVersion: 1, events: [orderEvent(2, START)] })
    expect(JSON.parse(stateJson(next.state))[key]).toMatchObject({ sketch: [1, 2] })
  })

  it('treats an entry that newer writes did not know as missing, and carries it through', () => {
    const both = compileFeatures(
      features({ a: count(order, { within: '7d' }), b: count(order, { within: '7d', where: { gift: true } }) }),
    )
    const onlyA = compileFeatures(features({ a: count(order, { within: '7d' }) }))
    const first = foldAll([[orderEvent(1, START, { gift: true })]], both)
    const second = foldState({
      plan: onlyA,
      state: first.state,
      previousAt: first.at,
      previousVersion: 1,
      events: [orderEvent(2, START + 1, { gift: true })],
    })
    const stale = evaluateFeatures(both, second.state, second.at, second.at)
    expect(stale.values).toEqual({ a: 2, b: null })
    expect(stale.pending).toEqual({ b: 'backfilling' })
    const [, kept] = [...both.states.keys()].map(key => second.state[key])
    expect(kept).toMatchObject({ seen: 1 })
  })

  it('is right or pending, never wrong, whatever windows the definition had before and has now', () => {
    const pool = ['37m', '2h', '17h', '25h', '7d', '15d', '30d', '91d'] as const
    const windows = fc.record({
      finite: fc.uniqueArray(fc.constantFrom(...pool), { minLength: 1, maxLength: 4 }),
      isWhole: fc.boolean(),
    })
    const definition = ({ finite, isWhole }: { finite: readonly (typeof pool)[number][]; isWhole: boolean }) =>
      features({
        ...Object.fromEntries(finite.map(within => [`in${within}`, count(order, { within })])),
        ...(isWhole ? { ever: count(order) } : {}),
      })
    let complete = 0
    fc.assert(
      fc.property(nonEmpty, windows, windows, fc.nat(30), fc.nat(100 * DAY), (events, before, now, cut, laterMs) => {
        const known = events.slice(0, cut + 1)
        const rest = events.slice(cut + 1)
        const set = definition(now)
        const nowPlan = compileFeatures(set)
        let { state, at } = foldAll([known], compileFeatures(definition(before)))
        const check = (folded: readonly DecodedEvent[]): void => {
          for (const t of [at, at + laterMs]) {
            const { values, pending } = evaluateFeatures(nowPlan, state, at, t)
            for (const [name, feature] of Object.entries(set.features)) {
              if (pending?.[name] !== undefined) continue
              complete++
              expect(`${name}: ${values[name]}`).toBe(`${name}: ${obviousValue(feature, folded, t)}`)
            }
          }
        }
        check(known)
        if (rest.length === 0) return
        const next = foldState({
          plan: nowPlan,
          state: JSON.parse(stateJson(state)),
          previousAt: at,
          previousVersion: 1,
          events: rest,
        })
        state = next.state
        at = next.at
        check(events)
      }),
      { numRuns: 400 },
    )
    expect(complete).toBeGreaterThan(400)
  })

  it('carries state that no definition knows for 14 days of events, and then lets it go', () => {
    const other = compileFeatures(features({ a: count(order, { within: '7d' }) }))
    const first = foldAll([[orderEvent(1, START)]])
    const keys = [...plan.states.keys()].filter(key => !other.states.has(key))
    const fold = (id: number, days: number, from: Folded): Folded =>
      foldState({
        plan: other,
        state: from.state,
        previousAt: from.at,
        previousVersion: id,
        events: [orderEvent(id, START + days * DAY)],
      })
    const second = fold(2, 1, first)
    const third = fold(3, 15, second)
    expect(keys.every(key => key in third.state)).toBe(true)
    const fourth = fold(4, 15.1, third)
    expect(keys.some(key => key in fourth.state)).toBe(false)
  })

  it('knows entries that no fold can have written', () => {
    const { state } = foldAll([[orderEvent(1, START)]])
    expect(stateProblem(plan, state)).toBeUndefined()
    const [key = ''] = plan.states.keys()
    for (const wrong of [null, [], 'text'])
      expect(stateProblem(plan, { ...state, [key]: wrong })).toContain('is no object')
    expect(stateProblem(plan, { ...state, [key]: { d: [1] } })).toContain('no tiles at d')
  })
})
