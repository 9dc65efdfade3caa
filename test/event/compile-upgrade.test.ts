// Older versions of a payload, and older paths of a field, read as the current contract reads the current version.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileContracts } from '../../src/event/compile-contracts.ts'
import { event } from '../../src/event/contract.ts'
import { decodePayload } from '../../src/event/decode.ts'
import type { DecodedEvent, Refusal } from '../../src/event/decoded-event.ts'
import { choice, flag, number, text } from '../../src/event/field.ts'
import { convert, move, replace, set, type UpgradeStep } from '../../src/event/upgrade-steps.ts'
import { expectEvent, expectRefusal } from './order-payloads.ts'

/** v1: total in cents, channels by number. v2: amount in euros, the customer still flat. v3: as declared. */
const order = event('order.placed', {
  id: 'orderId',
  user: 'customer.id',
  time: { path: 'at', unit: 'ms' },
  lateness: '6h',
  fields: {
    amount: number({ scale: 2 }),
    channel: choice('web', 'app'),
    gift: flag(),
    tier: text({ path: 'customer.tier', nullable: true }),
  },
  version: { path: 'schemaVersion', current: 3, absent: 1 },
  upgrade: {
    2: [move('customerId', 'customer.id'), move('tier', 'customer.tier'), convert('at', 1000)],
    1: [
      move('total', 'amount'),
      convert('amount', 0.01),
      replace('channel', { 1: 'web', mobile: 'app' }),
      set('gift', false),
    ],
  },
})
const contracts = compileContracts([order])

const V1 = {
  type: 'order.placed',
  orderId: 7,
  at: 1_767_323_045,
  customerId: 'u-1',
  tier: 'gold',
  total: 1999,
  channel: 1,
}
const V3 = {
  type: 'order.placed',
  schemaVersion: 3,
  orderId: 7,
  at: 1_767_323_045_000,
  customer: { id: 'u-1', tier: 'gold' },
  amount: 19.99,
  channel: 'web',
  gift: false,
}

function decode(payload: unknown): DecodedEvent | Refusal {
  return decodePayload(Buffer.from(JSON.stringify(payload)), contracts)
}

describe('an older version', () => {
  it('is read as the current one that says the same', () => {
    expect(expectEvent(decode(V1))).toEqual(expectEvent(decode(V3)))
    expect(expectEvent(decode(V3)).fields.get('amount')).toBe(1999)
  })

  it('goes through every version after its own, and no other', () => {
    const v2 = { ...V1, schemaVersion: 2, total: undefined, amount: 19.99, channel: 'web', gift: true }
    expect(expectEvent(decode(v2)).fields).toEqual(expectEvent(decode({ ...V3, gift: true })).fields)
    expect(expectRefusal(decode({ ...v2, channel: 'mobile' })).field).toBe('channel')
    expect(expectRefusal(decode({ ...V3, gift: undefined })).field).toBe('gift')
  })

  it('equals the current version written by hand, for any values', () => {
    const order = fc.record({
      cents: fc.maxSafeInteger(),
      channel: fc.constantFrom([1, 'web'], ['mobile', 'app'], ['web', 'web']),
      gift: fc.constantFrom(undefined, true, false),
      tier: fc.option(fc.string({ maxLength: 9 })),
      seconds: fc.nat(),
      isFlat: fc.boolean(),
    })
    fc.assert(
      fc.property(order, ({ cents, channel: [before, after], gift, tier, seconds, isFlat }) => {
        const who = isFlat ? { customerId: 'u-1', tier } : { customerId: 'u-1', customer: { tier } }
        const v1 = { ...V1, tier: undefined, ...who, total: cents, channel: before, gift, at: seconds }
        const euros = JSON.parse(`${cents}e-2`) as number
        const customer = { id: 'u-1', tier }
        const v3 = { ...V3, amount: euros, channel: after, gift: gift ?? false, at: seconds * 1000, customer }
        expect(decode({ ...v1, total: undefined, sum: 1 })).toMatchObject({ reason: 'contract' })
        expect(decode(v1)).toEqual(decode(v3))
      }),
    )
  })

  it('counts members that no path and no step names, before the steps', () => {
    expect(expectEvent(decode({ ...V1, note: { a: 1 } })).unknownFields).toBe(2)
    expect(expectEvent(decode({ ...V3, total: 5 })).unknownFields).toBe(0)
  })

  it('loses no value: a step that would is a refusal', () => {
    const at = (payload: unknown) => expectRefusal(decode(payload))
    expect(at({ ...V1, amount: 3 })).toEqual({
      reason: 'contract',
      detail: 'order.placed: version 1, whose value at "amount" is in the way of the one at "total".',
      type: 'order.placed',
      field: 'amount',
    })
    expect(at({ ...V1, customer: 'u-1' }).detail).toContain('"customer.id" is in the way of the one at "customerId"')
    expect(at({ ...V1, total: '1999' }).detail).toContain('"amount" is no number that can be taken 0.01 times')
    expect(expectEvent(decode({ ...V1, amount: null }))).toEqual(expectEvent(decode(V3)))
    expect(expectEvent(decode({ ...V1, gift: true })).fields.get('gift')).toBe(true)
  })

  it('has what was always meant where null stands, which is no value', () => {
    expect(expectEvent(decode({ ...V1, gift: null }))).toEqual(expectEvent(decode(V3)))
  })

  it('goes through its versions in their order, however large their numbers and wherever they are written', () => {
    const [first, second, current] = [20_260_101_000_000, 20_260_201_000_000, 20_260_301_000_000]
    const visit = event('visit', {
      ...VISIT,
      fields: { n: number() },
      version: { path: 'v', current },
      upgrade: { [second]: [move('b', 'n'), convert('n', 10)], [first]: [move('a', 'b')] },
    })
    const read = (v: number, members: object) => {
      const payload = { type: 'visit', id: 1, user: 'u', at: 1, v, ...members }
      return decodePayload(Buffer.from(JSON.stringify(payload)), compileContracts([visit]))
    }
    expect(expectEvent(read(first, { a: 1 })).fields.get('n')).toBe(10)
    expect(expectEvent(read(second, { b: 1 })).fields.get('n')).toBe(10)
    expect(expectRefusal(read(second, { a: 1 })).field).toBe('n')
  })

  it('leaves alone what is not there', () => {
    expect(expectRefusal(decode({ ...V1, total: undefined })).detail).toContain(
      'the field amount at "amount" is missing',
    )
    expect(expectRefusal(decode({ ...V1, total: null })).detail).toContain('the field amount at "amount" is missing')
  })
})

describe('the version of an event', () => {
  it.each([
    ['newer than the contract', 4, 'is newer than 3; declare it as current in the contract'],
    ['in between', 2.5, 'is neither an integer'],
    ['not among those that are read', 0, 'is none of those that the contract reads: 1, 2, 3'],
    ['negative', -1, 'is none of those'],
    ['text that is no number', 'v3', 'is neither an integer'],
    ['text with a zero before it', '03', 'is neither an integer'],
    ['an object', {}, 'is neither an integer'],
  ])('is refused where it is %s', (_what, schemaVersion, words) => {
    const refusal = expectRefusal(decode({ ...V3, schemaVersion }))
    expect(refusal).toMatchObject({ reason: 'unknown-version', type: 'order.placed' })
    expect(refusal.detail).toContain(`order.placed: the version at "schemaVersion" ${words}`)
  })

  it('may be decimal text, or null for one that is absent', () => {
    expect(expectEvent(decode({ ...V3, schemaVersion: '3' }))).toEqual(expectEvent(decode(V3)))
    expect(expectEvent(decode({ ...V1, schemaVersion: null }))).toEqual(expectEvent(decode(V3)))
  })

  it('is missing where the contract does not say what absent means', () => {
    const strict = compileContracts([event('visit', { ...VISIT, fields: {}, version: { path: 'v', current: 1 } })])
    const refusal = decodePayload(Buffer.from('{"type":"visit","id":1,"user":"u","at":1}'), strict)
    expect(expectRefusal(refusal).detail).toBe('visit: the version at "v" is missing.')
  })
})

describe('a move', () => {
  it.each([
    ['into what it was itself', [move('a', 'a.b')], { a: 1 }, 'a.b'],
    ['out of what it leaves empty', [move('a.b', 'a')], { a: { b: 1 } }, 'a'],
    ['of a whole object', [move('a', 'c')], { a: { b: 1 } }, 'c.b'],
    ['in two steps', [move('a.x', 'x'), move('a.b', 'a')], { a: { b: 1, x: 2 } }, 'a'],
    ['by a name that every object inherits', [move('toString', 'b')], { toString: 1 }, 'b'],
  ] as const)('%s is found at its new path', (_what, steps, members, path) => {
    expect(fieldAfter(steps, members, path)).toBe(1)
  })

  it('out of an object that keeps another value is refused, as that would be lost', () => {
    expect(() => fieldAfter([move('a.b', 'a')], { a: { b: 1, c: 2 } }, 'a')).toThrow('in the way')
  })

  it('does not find what an object inherits', () => {
    expect(() => fieldAfter([move('constructed.valueOf', 'b')], { constructed: {} }, 'b')).toThrow('"b" is missing')
  })
})

const VISIT = { id: 'id', user: 'user', time: { path: 'at', unit: 'ms' }, lateness: '1h' } as const

function fieldAfter(steps: readonly UpgradeStep[], members: object, path: string): unknown {
  const visit = event('visit', {
    ...VISIT,
    fields: { n: number({ path }) },
    version: { path: 'v', current: 1 },
    upgrade: { 0: steps },
  })
  const payload = { type: 'visit', id: 1, user: 'u', at: 1, v: 0, ...members }
  const decoded = decodePayload(Buffer.from(JSON.stringify(payload)), compileContracts([visit]))
  return expectEvent(decoded).fields.get('n')
}
