import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ContractCheck } from '../../src/event/check-events.ts'
import { decode, GOOD } from './order-payloads.ts'

const PAYLOADS = [
  GOOD,
  { ...GOOD, amount: 'x' },
  { ...GOOD, amount: null },
  { ...GOOD, item: 7 },
  { ...GOOD, orderId: '' },
  { ...GOOD, customer: {} },
  { type: 'visit', id: 1, user: 'u', at: 'x' },
  { type: 'order.lost' },
]

describe('a check of events against contracts', () => {
  it('counts by reason, within it by field, and keeps the first of each', () => {
    const check = new ContractCheck()
    for (const [index, payload] of [...PAYLOADS, ...PAYLOADS].entries()) check.add(decode(payload), index + 1)
    const { reasons, ...counts } = check.summary()
    expect(counts).toEqual({ events: 16, accepted: 2, refused: 14, refusedShare: 14 / 16 })
    expect(reasons.map(({ reason, count, first }) => [reason, count, first])).toEqual([
      ['contract', 8, 2],
      ['unknown-type', 2, 8],
      ['user-id-invalid', 2, 6],
      ['time-invalid', 2, 7],
    ])
    expect(reasons[0]?.places).toEqual([
      {
        type: 'order.placed',
        field: 'amount',
        count: 4,
        first: 2,
        detail: 'order.placed: the field amount at "amount" is not a number.',
      },
      {
        type: 'order.placed',
        field: 'item',
        count: 2,
        first: 4,
        detail: 'order.placed: the field item at "item" is not text.',
      },
      {
        type: 'order.placed',
        field: null,
        count: 2,
        first: 5,
        detail: 'order.placed: the id at "orderId" is not 1 to 256 bytes long.',
      },
    ])
    expect(reasons[1]?.places).toEqual([])
  })

  it('adds up, whatever the events', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(PAYLOADS.length - 1), { maxLength: 50 }), indexes => {
        const check = new ContractCheck()
        for (const [position, index] of indexes.entries()) check.add(decode(PAYLOADS[index]), position)
        const { events, accepted, refused, refusedShare, reasons } = check.summary()
        expect(events).toBe(indexes.length)
        expect(accepted).toBe(indexes.filter(index => index === 0).length)
        expect(accepted + refused).toBe(events)
        expect(refusedShare * events).toBeCloseTo(refused)
        expect(sum(reasons)).toBe(refused)
        for (const { count, places } of reasons) expect([0, count]).toContain(sum(places))
      }),
      { numRuns: 50 },
    )
  })

  it('gives a summary that later events do not change', () => {
    const check = new ContractCheck()
    check.add(decode(PAYLOADS[1]), 1)
    const before = check.summary()
    const text = JSON.stringify(before)
    check.add(decode(PAYLOADS[1]), 2)
    expect(JSON.stringify(before)).toBe(text)
  })
})

function sum(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((total, { count }) => total + count, 0)
}
