// What the laws of features (test/features/laws) say of any definition, by hand for some.
import { describe, expect, it } from 'vitest'
import { count, last, mean, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { evaluateFeatures } from '../../src/features/evaluate.ts'
import { compileFeatures } from '../../src/features/plan.ts'
import { order, orderEvent, START } from './factories.ts'
import { DAY, foldAll, plan, split } from './fold-batches.ts'

describe('evaluateFeatures', () => {
  it('answers 0 for a 30-day count of a user silent for 31 days', () => {
    const { state, at } = foldAll([[orderEvent(1, START)]])
    expect(evaluateFeatures(plan, state, at, START).values['orders30d']).toBe(1)
    expect(evaluateFeatures(plan, state, at, START + 31 * DAY).values['orders30d']).toBe(0)
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

  it('sums exactly below −2^53', () => {
    const total = compileFeatures(features({ points: sum(order, 'points') }))
    const events = [-Number.MAX_SAFE_INTEGER, -2, Number.MAX_SAFE_INTEGER].map((points, id) =>
      orderEvent(id, START + id, { points }),
    )
    const { state, at } = foldAll(split(events, 1), total)
    expect(evaluateFeatures(total, state, at, at).values).toEqual({ points: -2 })
  })
})
