// State that was folded by another definition or another layout: what is pending, what is carried, and what is let go.
import { describe, expect, it } from 'vitest'
import { count, last, recency } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { evaluateFeatures } from '../../src/features/evaluate.ts'
import { compileFeatures } from '../../src/features/plan.ts'
import { foldState, stateJson, stateProblem } from '../../src/features/state.ts'
import { order, orderEvent, START } from './factories.ts'
import { DAY, foldAll, type Folded, plan } from './fold-batches.ts'

describe('evaluateFeatures', () => {
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

  it('does not take up what was left behind, though nothing newer has come since: it lacks the write that left it', () => {
    const both = compileFeatures(
      features({ a: count(order, { within: '7d' }), b: count(order, { within: '7d', where: { gift: true } }) }),
    )
    const onlyA = compileFeatures(features({ a: count(order, { within: '7d' }) }))
    const gift = (id: number, ts: number) => [orderEvent(id, ts, { gift: true })]
    const first = foldAll([gift(1, START)], both)
    const back = {
      plan: onlyA,
      state: first.state,
      previousAt: first.at,
      previousVersion: 1,
      events: gift(2, START + 1),
    }
    const second = foldState(back)
    // Forward again, by an event that is older than the newest one.
    const forward = {
      plan: both,
      state: second.state,
      previousAt: second.at,
      previousVersion: 2,
      events: gift(3, START),
    }
    const third = foldState(forward)
    expect(third.at).toBe(second.at)
    const { values, pending } = evaluateFeatures(both, third.state, third.at, third.at)
    expect(values).toEqual({ a: 3, b: null })
    expect(pending).toEqual({ b: 'backfilling' })
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
