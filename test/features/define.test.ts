import { describe, expect, expectTypeOf, it } from 'vitest'
import { event } from '../../src/event/contract.ts'
import { choice, flag, number, text } from '../../src/event/field.ts'
import { count, last, max, mean, min, ratio, recency, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { multiply } from '../../src/features/derived.ts'
import type { Feature, Grouped, ValuesOf, WindowOptions } from '../../src/features/feature.ts'
import { featureFingerprint } from '../../src/features/describe.ts'
import { lastK } from '../../src/features/parametric-aggregates.ts'
import { compileFeatures } from '../../src/features/plan.ts'
import { holds, normaliseWhere, type Where } from '../../src/features/where.ts'

const order = event('order.placed', {
  id: 'orderId',
  user: 'customer.id',
  time: 'placedAt',
  lateness: '6h',
  fields: {
    amount: number({ scale: 2 }),
    weight: number(),
    channel: choice('web', 'app'),
    gift: flag(),
    note: text({ optional: true }),
  },
})

describe('definitions', () => {
  it('have one fingerprint however they are written, and another one for another meaning', () => {
    const one = count(order, { within: '7d', where: { channel: ['app', 'web'], amount: { above: 100, below: 200 } } })
    const same = count(order, {
      within: '168h',
      where: { amount: { below: 200, above: 100 }, channel: ['web', 'app'] },
    })
    expect(featureFingerprint(same)).toBe(featureFingerprint(one))
    const others: Feature[] = [
      count(order, { within: '8d', where: { channel: ['app', 'web'], amount: { above: 100, below: 200 } } }),
      count(order, { within: '7d', where: { channel: ['app', 'web'], amount: { atLeast: 100, below: 200 } } }),
      count(order, { within: '7d' }),
      sum(order, 'amount', { within: '7d' }),
    ]
    const fingerprints = [one, ...others].map(feature => featureFingerprint(feature))
    expect(new Set(fingerprints).size).toBe(fingerprints.length)
  })

  it('share a state over all windows of one aggregate', () => {
    const set = features({
      a: count(order, { within: '1h' }),
      b: count(order, { within: '30d' }),
      c: count(order),
      d: min(order, 'weight'),
    })
    expect(compileFeatures(set).states.size).toBe(2)
  })

  it('compare numbers at their field’s scale', () => {
    const terms = normaliseWhere(order, { amount: { above: 0.29 } })
    expect(terms).toEqual([{ field: 'amount', operator: 'above', value: 29 }])
    expect(holds(terms, new Map([['amount', 29]]))).toBe(false)
    expect(holds(terms, new Map([['amount', 30]]))).toBe(true)
    expect(holds(terms, new Map([['amount', null]]))).toBe(false)
    expect(normaliseWhere(order, { amount: 0 })).toEqual([{ field: 'amount', operator: 'is', value: 0 }])
  })

  it.each([
    ['above', [false, false, true]],
    ['atLeast', [false, true, true]],
    ['below', [true, false, false]],
    ['atMost', [true, true, false]],
  ] as const)('hold %s a bound below it, at it and above it as the word says', (operator, expected) => {
    const terms = normaliseWhere(order, { amount: { [operator]: 0.29 } })
    expect([28, 29, 30].map(amount => holds(terms, new Map([['amount', amount]])))).toEqual(expected)
  })

  it.each([
    ['a field that is not there', { nothing: 1 }],
    ['a word that a choice does not have', { channel: 'shop' }],
    ['an empty list', { channel: [] }],
    ['a flag compared with a number', { gift: 1 }],
    ['an unknown comparison', { amount: { over: 1 } }],
    ['an empty comparison', { amount: {} }],
    ['a number that is none', { amount: { above: Number.NaN } }],
  ])('refuse %s', (_, where) => {
    expect(() => normaliseWhere(order, where)).toThrow('where: order.placed')
  })

  it('refuse windows, roundings and fields that cannot be', () => {
    expect(() => count(order, { within: '30s' })).toThrow('within 30s')
    expect(() => count(order, { within: '800d' })).toThrow('within 800d')
    expect(() => count(order, { within: '0d' })).toThrow('not a duration')
    expect(() => recency(order, { roundTo: '1s' })).toThrow('below a minute')
    expect(() => max(order, 'note' as 'amount')).toThrow('not a number')
    expect(() => last(order, 'nothing' as 'note')).toThrow('no field "nothing"')
  })

  it('refuse names that a table could not have', () => {
    expect(() => features({ '2nd': count(order) })).toThrow('not a feature name')
    expect(() => features({ orders: count(order), Orders: count(order) })).toThrow('taken')
    expect(() => features({ user_id: count(order) })).toThrow('taken')
  })

  it('type their answer, and refuse wrong fields when compiled', () => {
    const set = features({
      orders: count(order),
      mean: mean(order, 'amount'),
      channel: last(order, 'channel'),
      share: ratio(count(order, { where: { gift: true } }), count(order)),
    })
    expectTypeOf<ValuesOf<typeof set>['orders']>().toEqualTypeOf<number | null>()
    expectTypeOf<ValuesOf<typeof set>['channel']>().toEqualTypeOf<'web' | 'app' | null>()
    expectTypeOf(sum<typeof order>)
      .parameter(1)
      .toEqualTypeOf<'amount' | 'weight'>()
    expectTypeOf<'web'>().toExtend<Where<typeof order>['channel']>()
    expectTypeOf<'shop'>().not.toExtend<Where<typeof order>['channel']>()
    expectTypeOf<{ withn: '1d' }>().not.toExtend<WindowOptions<typeof order>>()
    // Of a type that is closed, so that a wrong name beside right ones is one too many.
    expectTypeOf(count<typeof order, 'channel'>)
      .parameter(1)
      .toEqualTypeOf<WindowOptions<typeof order, 'channel'> | undefined>()
    const grouped = features({ byChannel: count(order, { by: 'channel', within: '7d' }) })
    expectTypeOf<ValuesOf<typeof grouped>['byChannel']>().toEqualTypeOf<Grouped<number> | null>()
    const derived = features({ orders: count(order), twice: multiply(2, 'orders') })
    expectTypeOf<ValuesOf<typeof derived>['twice']>().toEqualTypeOf<number | null>()
    const known = { orders: count(order), twice: multiply(2, 'orders') }
    const unknown = { orders: count(order), twice: multiply(2, 'order') }
    expectTypeOf<typeof known>().toExtend<Parameters<typeof features<typeof known>>[0]>()
    expectTypeOf<typeof unknown>().not.toExtend<Parameters<typeof features<typeof unknown>>[0]>()
  })

  it('refuse in JavaScript what does not compile in TypeScript', () => {
    expect(() => sum(order, 'channel' as 'amount')).toThrow('not a number')
    expect(() => min(order, 'nothing' as 'amount')).toThrow('no field')
    expect(() => count(order, { where: { channel: 'shop' as 'web' } })).toThrow('never be')
    const misspelt = { within: '7d', wher: { gift: true } } as const
    expect(() => count(order, misspelt)).toThrow('count(order.placed): there is no option "wher"')
    expect(() => lastK(order, 'note', { ...misspelt, k: 3 })).toThrow('no option "wher"')
    expect(() => features({ orders: count(order), twice: multiply(2, 'order' as 'orders') })).toThrow('not defined')
  })
})
