// The independent implementation itself, by hand from docs/features.md: the laws of features are worth what it is worth.
import { describe, expect, it } from 'vitest'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import { count, first, last, max, mean, min, ratio, recency, sum, variance } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { add } from '../../src/features/derived.ts'
import {
  decayed,
  distinct,
  firstK,
  histogram,
  lastK,
  percentile,
  streak,
  topK,
} from '../../src/features/parametric-aggregates.ts'
import { obviousAnswers, obviousFeatures, valueDiffers, worstDifference } from '../../src/replay/obvious-features.ts'
import { order, orderEvent, START } from '../features/factories.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const web = { channel: 'web' } as const

/** 10.00 by the web, 20.50 by the app as a gift, 30.00 by the web, an hour and then two days apart. */
const events: readonly DecodedEvent[] = [
  orderEvent(1, START, { ...web, amount: 1000, points: 3 }),
  orderEvent(2, START + HOUR, { channel: 'app', amount: 2050, gift: true }),
  orderEvent(3, START + HOUR + 2 * DAY, { ...web, amount: 3000, points: 5 }),
]
const NOW = START + HOUR + 2 * DAY

describe('obviousFeatures', () => {
  it('are those of the documentation', () => {
    const set = features({
      orders: count(order),
      orders1d: count(order, { within: '1d' }),
      spend: sum(order, 'amount'),
      gifts: sum(order, 'amount', { where: { gift: true } }),
      dear: count(order, { where: { amount: { atLeast: 20.5 }, channel: ['web', 'app'] } }),
      mean: mean(order, 'points'),
      least: min(order, 'amount'),
      most: max(order, 'amount'),
      spread: variance(order, 'amount'),
      first: first(order, 'channel'),
      last: last(order, 'points'),
      two: firstK(order, 'amount', { k: 2 }),
      newest: lastK(order, 'points', { k: 5 }),
      top: topK(order, 'channel', { k: 1, sum: 'amount' }),
      channels: distinct(order, 'channel'),
      median: percentile(order, 'amount', { q: 0.5 }),
      bins: histogram(order, 'amount', { bounds: [10, 30] }),
      since: recency(order, { roundTo: '1h', where: { gift: true } }),
      fading: decayed(order, { halfLife: '1d', where: { channel: 'app' } }),
      streak: streak(order, { every: '1d' }),
      share: ratio(count(order, { where: { gift: true } }), count(order)),
      more: add('orders', 'gifts'),
      byChannel: sum(order, 'amount', { by: 'channel' }),
    })
    expect(obviousFeatures(set, [...events.toReversed(), ...events], NOW)).toEqual({
      orders: 3,
      orders1d: 1,
      spend: 60.5,
      gifts: 20.5,
      dear: 2,
      mean: 4,
      least: 10,
      most: 30,
      spread: 100.08333333333333,
      first: 'web',
      last: 5,
      two: [10, 20.5],
      newest: [5, 3],
      top: { exact: true, top: [{ key: 'web', value: 40 }] },
      channels: 2,
      median: 20.5,
      bins: [0, 2, 1],
      since: (2 * DAY) / 1000,
      fading: 0.25,
      streak: 1,
      share: 1 / 3,
      more: 23.5,
      byChannel: { exact: true, groups: { web: 40, app: 20.5 } },
    })
  })

  it('are evaluated at the newest event where t lies before it', () => {
    const set = features({ since: recency(order, { roundTo: '1h' }), orders2h: count(order, { within: '2h' }) })
    expect(obviousFeatures(set, events, START)).toEqual({ since: 0, orders2h: 1 })
    expect(obviousFeatures(set, [], START)).toEqual({ since: null, orders2h: 0 })
  })

  it('keep of too many keys that of the smallest SHA-256: of app and web it is web', () => {
    const set = features({ byChannel: count(order, { by: 'channel', keys: 1 }) })
    // sha256('app') begins with a172, sha256('web') with 4b5e.
    expect(obviousFeatures(set, events, NOW)).toEqual({ byChannel: { exact: false, groups: { web: 2 }, other: 1 } })
  })

  it('allow a percentile the error of the bins that its values need', () => {
    const set = features({
      median: percentile(order, 'amount', { q: 0.5 }),
    })
    const spread = Array.from({ length: 400 }, (_, id) => orderEvent(id, START, { amount: Math.round(1.05 ** id) }))
    expect(obviousAnswers(set, events, NOW)['median']?.allowance.relative).toBeCloseTo(0.01, 6)
    const relative = obviousAnswers(set, spread, NOW)['median']?.allowance.relative ?? 0
    expect(relative).toBeGreaterThan(0.035)
    expect(relative).toBeLessThan(0.09)
  })
})

describe('valueDiffers', () => {
  const exact = count(order)
  const grouped = { exact: true, groups: { a: 1, b: 2 } }

  it('takes a last digit for a difference where the documentation says exact', () => {
    expect(valueDiffers(exact, 0.3, 0.1 + 0.2)).toBe(true)
    expect(valueDiffers(exact, 3, 3)).toBe(false)
    expect(valueDiffers(exact, -0, 0)).toBe(false)
    for (const other of [null, undefined, '3', true, Number.NaN, [3]]) expect(valueDiffers(exact, other, 3)).toBe(true)
  })

  it('looks into lists and objects', () => {
    expect(valueDiffers(exact, { groups: { b: 2, a: 1 }, exact: true }, grouped)).toBe(false)
    const others = [
      { exact: false, groups: { a: 1, b: 2 } },
      { exact: true, groups: { a: 1, b: 3 } },
      { exact: true, groups: { a: 1 } },
      { exact: true, groups: { a: 1, b: 2, c: 0 } },
      { ...grouped, other: 0 },
      { exact: true, groups: JSON.parse('{"a":1,"b":2,"__proto__":1}') as object },
    ]
    for (const other of others) expect(valueDiffers(exact, other as typeof grouped, grouped)).toBe(true)
    expect(valueDiffers(exact, [1, 2], [1, 2])).toBe(false)
    expect([[1], [2, 1], [1, 2, 3]].map(list => valueDiffers(exact, list, [1, 2]))).toEqual([true, true, true])
    expect(valueDiffers(exact, {}, [])).toBe(true)
  })

  it('allows what the documentation does, and no more', () => {
    const median = percentile(order, 'amount', { q: 0.5 })
    expect([101, 99, 101.1, 98.9].map(value => valueDiffers(median, value, 100))).toEqual([false, false, true, true])
    expect([104, 106].map(value => valueDiffers(median, value, 100, { relative: 0.05, absolute: 0 }))).toEqual([
      false,
      true,
    ])
    const channels = distinct(order, 'channel')
    expect([63, 64].map(value => valueDiffers(channels, value, 64))).toEqual([true, false])
    expect([1100, 1200].map(value => valueDiffers(channels, value, 1000))).toEqual([false, true])
    expect(valueDiffers(decayed(order, { halfLife: '1d' }), 1 + 1e-10, 1)).toBe(false)
    expect(valueDiffers(ratio(exact, exact), 0.5, 0.5 + 1e-15)).toBe(true)
  })
})

describe('worstDifference', () => {
  it('is the greatest share by which a number is off, and infinite where something else is', () => {
    expect(worstDifference(101, 100)).toBe(0.01)
    expect(worstDifference({ a: [1, 110], b: 'x' }, { a: [1, 100], b: 'x' })).toBeCloseTo(0.1)
    expect([worstDifference(null, 1), worstDifference(1, 0), worstDifference([1], [1, 2])]).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ])
    expect(worstDifference({ a: null }, { a: null })).toBe(0)
  })
})
