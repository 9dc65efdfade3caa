// What the features say of one customer: orders in, the clock moved on, features expected. No cloud, nothing stored.
import { userOf } from 'millrace/testing'
import 'millrace/testing/vitest'
import { expect, test } from 'vitest'
import { order } from '../../src/pipeline/events.ts'
import pipeline from '../../src/pipeline/index.ts'

const cup = { amount: 20, item: 'cup', channel: 'web' } as const
const gift = { amount: 120.5, item: 'pot', channel: 'app', gift: true } as const

test('a repeated order counts once', () => {
  const ana = userOf(pipeline, { at: '2026-03-01T09:00:00Z' })
  ana.receives(order, cup)
  ana.waitsUntil('2026-03-02T10:30:00Z')
  expect(ana.receives(order, gift, { id: 'a2' })).toBe('folded')
  expect(ana.receives(order, gift, { id: 'a2' })).toBe('duplicate')
  ana.waits('135m')
  expect(ana).toHaveFeatures({
    orders30d: 2,
    spend90d: 140.5,
    bigApp7d: 1,
    giftShare: 0.5,
    sinceOrder: 2 * 60 * 60,
  })
})

test('a month without orders leaves nothing of the last 30 days, with no event to say so', () => {
  const ana = userOf(pipeline, { at: '2026-03-01T09:00:00Z' })
  ana.receives(order, gift)
  ana.waits('45d')
  expect(ana).toHaveFeatures({ orders30d: 0, spend90d: 120.5, giftShare: null })
})

test('the shop may send an order six hours late, and no later', () => {
  const ana = userOf(pipeline, { at: '2026-03-02T12:00:00Z' })
  ana.receives(order, cup, { at: '2026-03-02T05:00:00Z' })
  ana.receives(order, cup)
  expect(ana.receives(order, cup, { at: '2026-03-02T06:00:00Z' })).toBe('folded')
  expect(ana.receives(order, cup, { at: '2026-03-02T04:00:00Z' })).toBe('late')
  expect(ana).toHaveFeature('orders30d', 3)
})

test('the shop sends its own JSON', () => {
  const ana = userOf(pipeline, { id: 'c1', at: '2026-03-01T09:00:00Z' })
  ana.receivesJson({
    type: 'order.placed',
    orderId: 'a1',
    customer: { id: 'c1', tier: 'gold' },
    placedAt: '2026-03-01T10:00:00+01:00',
    amount: 20,
    item: 'cup',
    channel: 'web',
  })
  expect(ana).toHaveFeatures({ orders30d: 1, sinceOrder: 0 })
  expect(() => ana.receives(order, { amount: 20, item: 'cup' })).toThrow('the field channel')
})
