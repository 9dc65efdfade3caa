import { describe, expect, expectTypeOf, it } from 'vitest'
import { count, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { lastK } from '../../src/features/parametric-aggregates.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { type FieldValues, userOf } from '../../src/testing/user-of.ts'
import { order, shop, visit } from './shop.ts'

const START = '2026-01-01T00:00:00Z'
const paid = { amount: 12.5, channel: 'app' } as const

describe('a user in a test', () => {
  it('has the features of what it received, as the clock moves on', () => {
    const ana = userOf(shop, { at: START })
    expect(ana.receives(order, paid)).toBe('folded')
    ana.waits('8d')
    expect(ana.now).toBe('2026-01-09T00:00:00.000Z')
    expect(ana.features()).toStrictEqual({
      orders7d: 0,
      spend90d: 12.5,
      meanSpend90d: 12.5,
      giftShare: 0,
      lastChannel: 'app',
      byChannel30d: { exact: true, groups: { app: 1 } },
      sinceOrder: 8 * 24 * 3600,
      visits1d: 0,
    })
    ana.waitsUntil('2026-12-31T00:00:00Z')
    expect(ana.features()).toMatchObject({ spend90d: 0, meanSpend90d: null, lastChannel: 'app' })
  })

  it('says until when its features stay as they are', () => {
    const ana = userOf(shop, { at: '2026-01-01T10:20:00Z' })
    ana.receives(order, paid)
    expect(ana.freshUntil()).toBe('2026-01-01T11:20:00.000Z')
    ana.waits('59m')
    expect(ana.features().sinceOrder).toBe(0)
    ana.waits('1m')
    expect(ana.features().sinceOrder).toBe(3600)
    const counted = features({ orders: count(order), orders30d: count(order, { within: '30d' }) })
    const bob = userOf(pipeline({ name: 'shop', typePath: 'meta.type', features: counted, models: [] }), { at: START })
    bob.receives(order, paid)
    bob.waits('60d')
    expect(bob.freshUntil()).toBeUndefined()
  })

  it('folds an event once, by its id', () => {
    const ana = userOf(shop, { at: START })
    expect(ana.receives(order, paid, { id: 'o-1' })).toBe('folded')
    expect(ana.receives(order, paid, { id: 'o-1' })).toBe('duplicate')
    expect(ana.receives(order, paid)).toBe('folded')
    expect(ana.features().orders7d).toBe(2)
    expect(ana.outcomes).toMatchObject({ folded: 2, duplicate: 1, late: 0 })
  })

  it('takes late events while they are within the lateness of their contract, and says of others that they are late', () => {
    const ana = userOf(shop, { at: '2026-01-02T00:00:00Z' })
    ana.receives(order, { ...paid, channel: 'web' }, { at: '2026-01-01T17:00:00Z' })
    ana.receives(order, { ...paid, channel: 'app' })
    expect(ana.receives(order, { ...paid, channel: 'web' }, { at: '2026-01-01T18:00:00Z' })).toBe('folded')
    expect(ana.receives(order, paid, { at: '2026-01-01T16:00:00Z' })).toBe('late')
    expect(ana.features()).toMatchObject({ orders7d: 3, lastChannel: 'app' })
  })

  it("takes upstream's own JSON, of an older version too", () => {
    const ana = userOf(shop, { id: 'c1', at: START })
    const payload = {
      meta: { type: 'order.placed', version: 1 },
      orderId: 17,
      customer: { id: 'c1', tier: 'gold' },
      placedAt: '2026-01-01T01:00:00+01:00',
      total: { amount: 3 },
      channel: 'web',
    }
    expect(ana.receivesJson(payload)).toBe('folded')
    expect(ana.features()).toMatchObject({ spend90d: 3, sinceOrder: 0 })
    expect(() => ana.receivesJson({ ...payload, customer: { id: 'c2' } })).toThrowError(
      expect.objectContaining({ code: 'mis-keyed', next: expect.stringContaining('another user') }),
    )
  })

  it('fails the test where the pipeline would refuse the event, with the reason', () => {
    const ana = userOf(shop, { at: START })
    expect(() => ana.receives(order, { amount: 12.5 })).toThrow(/refused, contract: order.placed: the field channel/)
    expect(() => ana.receives(order, paid, { at: '2026-01-01T00:06:00Z' })).toThrow(/refused, future/)
    expect(() => ana.receivesJson({ meta: { type: 'order.cancelled' } })).toThrow(/refused, unknown-type/)
    expect(ana.outcomes.folded).toBe(0)
  })

  it('refuses what cannot be: an event of another pipeline, a clock that goes back, times that are none', () => {
    const ana = userOf(shop, { at: START })
    expect(() => ana.receives({ ...visit }, { seconds: 1 })).toThrow('site.visited is no event of the pipeline')
    expect(() => ana.waitsUntil('2025-12-31T00:00:00Z')).toThrow("before the test's clock")
    expect(() => userOf(shop, { at: '2026-01-01' })).toThrow('"2026-01-01" is not an instant')
    expect(() => ana.features()).toThrow('a GET answers 404')
  })

  it('is small: the item is the one that would be stored', () => {
    const ana = userOf(shop, { at: START })
    ana.receives(order, paid)
    const bytes = ana.itemBytes()
    expect(bytes).toBeGreaterThan(300)
    for (let day = 0; day < 30; day++) {
      ana.waits('1d')
      ana.receives(order, paid)
    }
    expect(ana.itemBytes()).toBeGreaterThan(bytes)
    expect(ana.itemBytes()).toBeLessThan(2000)
  })

  it('has no event whose item would be over the limit of the pipeline', () => {
    const items = features({ lastItems: lastK(order, 'item', { k: 100 }) })
    const small = pipeline({ name: 'shop', typePath: 'meta.type', features: items, models: [], itemBytesMax: 4096 })
    const ana = userOf(small, { at: START })
    const buyAll = (): void => {
      for (let item = 0; item < 100; item++) ana.receives(order, { ...paid, item: sha256Hex(String(item)) })
    }
    expect(buyAll).toThrow(/refused, item-too-big/)
    expect(ana.itemBytes()).toBeLessThanOrEqual(4096)
  })

  it('sees after a deploy what waits for its state, and when it no longer does', () => {
    const ana = userOf(shop, { at: START })
    ana.receives(order, paid)
    ana.waits('1h')
    const more = features({
      ...shop.features.features,
      appSpend7d: sum(order, 'amount', { within: '7d', where: { channel: 'app' } }),
    })
    const after = ana.afterDeploy(pipeline({ name: 'shop', typePath: 'meta.type', features: more, models: [] }))
    expect(after.pending()).toEqual({ appSpend7d: 'backfilling' })
    expect(after.features()).toMatchObject({ spend90d: 12.5, appSpend7d: null })
    after.receives(order, paid)
    after.waits('8d')
    expect(after.pending()).toEqual({})
    expect(after.features().appSpend7d).toBe(0)
    expect(ana.pending()).toEqual({})
    expect(ana.features().spend90d).toBe(12.5)
  })

  it("is typed by the pipeline's names and values", () => {
    const ana = userOf(shop, { at: START })
    ana.receives(order, paid)
    expectTypeOf(ana.features().orders7d).toEqualTypeOf<number | null>()
    expectTypeOf(ana.features().lastChannel).toEqualTypeOf<'web' | 'app' | null>()
    expectTypeOf<FieldValues<typeof order>['channel']>().toEqualTypeOf<'web' | 'app' | null | undefined>()
    expectTypeOf<keyof FieldValues<typeof order>>().toEqualTypeOf<'amount' | 'item' | 'channel' | 'gift'>()
  })
})
