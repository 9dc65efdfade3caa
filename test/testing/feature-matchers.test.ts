import { stripVTControlCharacters } from 'node:util'
import { type Assertion, describe, expect, expectTypeOf, it } from 'vitest'
import { count } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { userOf } from '../../src/testing/user-of.ts'
import '../../src/testing/vitest.ts'
import { order, shop } from './shop.ts'

function buyer() {
  const ana = userOf(shop, { id: 'ana', at: '2026-01-01T00:00:00Z' })
  ana.receives(order, { amount: 10, channel: 'app' })
  ana.receives(order, { amount: 0.1, channel: 'web' })
  ana.receives(order, { amount: 0.2, channel: 'web' }, { id: 'order.placed-2' })
  return ana
}

function failure(check: () => void): string {
  try {
    check()
  } catch (error) {
    return error instanceof Error ? stripVTControlCharacters(error.message) : ''
  }
  return 'it passed'
}

describe('toHaveFeatures', () => {
  it('holds where the named features have the values, whatever the others have', () => {
    const ana = buyer()
    expect(ana).toHaveFeatures({ orders7d: 2, spend90d: 10.1, lastChannel: expect.any(String) })
    expect(ana).toHaveFeatures({ byChannel30d: { exact: true, groups: { app: 1, web: 1 } } })
    expect(ana).toHaveFeatures({ meanSpend90d: expect.closeTo(5.05, 10), giftShare: 0 })
    expect(ana).not.toHaveFeatures({ orders7d: 2, spend90d: 10 })
  })

  it('shows only what differs, and says which user and when', () => {
    const message = failure(() => expect(buyer()).toHaveFeatures({ orders7d: 3, spend90d: 10.1 }))
    expect(message).toContain('ana at 2026-01-01T00:00:00.000Z')
    expect(message).toContain('-   "orders7d": 3,')
    expect(message).toContain('+   "orders7d": 2,')
    expect(message).not.toContain('lastChannel')
  })

  it('tells of events that are in no feature, and of features that wait', () => {
    expect(failure(() => expect(buyer()).toHaveFeatures({ orders7d: 3 }))).toContain(
      'Of its events, 2 folded, 1 duplicate',
    )
    const visits = features({
      ...shop.features.features,
      appOrders7d: count(order, { within: '7d', where: { channel: 'app' } }),
    })
    const after = buyer().afterDeploy(pipeline({ name: 'shop', typePath: 'meta.type', features: visits, models: [] }))
    expect(failure(() => expect(after).toHaveFeatures({ appOrders7d: 1 }))).toContain('appOrders7d is backfilling')
  })

  it('says under not what it has', () => {
    expect(failure(() => expect(buyer()).not.toHaveFeatures({ orders7d: 2 }))).toContain('should not: {"orders7d":2}')
  })

  it('refuses, under not too, a name that is no feature', () => {
    const untyped = { ordres7d: 2 } as object
    for (const check of [expect(buyer()), expect(buyer()).not]) {
      expect(failure(() => check.toHaveFeatures(untyped))).toContain('The pipeline has no feature "ordres7d"')
    }
  })

  it('refuses what is no user', () => {
    const nobody: unknown = { features: {} }
    const check = expect(nobody) as Assertion<void, ReturnType<typeof buyer>>
    expect(failure(() => check.toHaveFeatures({ orders7d: 2 }))).toContain('something else than a user')
  })
})

describe('toHaveFeature', () => {
  it('is the same for one feature', () => {
    expect(buyer()).toHaveFeature('orders7d', 2)
    expect(buyer()).toHaveFeature('meanSpend90d', expect.closeTo(5.05, 10))
    expect(failure(() => expect(buyer()).toHaveFeature('lastChannel', 'app'))).toContain('"lastChannel": "web"')
  })
})

describe('the types of both', () => {
  it("are the pipeline's own", () => {
    type Check = Assertion<void, ReturnType<typeof buyer>>
    type Expected = Parameters<Check['toHaveFeatures']>[0]
    expectTypeOf<Expected['orders7d']>().toEqualTypeOf<number | null | undefined>()
    expectTypeOf<Expected['lastChannel']>().toEqualTypeOf<'web' | 'app' | null | undefined>()
    expectTypeOf<'ordres7d' extends keyof Expected ? true : false>().toEqualTypeOf<false>()
  })
})
