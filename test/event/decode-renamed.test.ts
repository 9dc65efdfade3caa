// Fields that stood elsewhere before.
import { describe, expect, it } from 'vitest'
import { compileContracts } from '../../src/event/compile-contracts.ts'
import { event } from '../../src/event/contract.ts'
import { decodePayload } from '../../src/event/decode.ts'
import type { DecodedEvent, Refusal } from '../../src/event/decoded-event.ts'
import { number } from '../../src/event/field.ts'
import { expectEvent, expectRefusal } from './order-payloads.ts'

const contracts = compileContracts([
  event('visit', {
    id: 'id',
    user: 'user',
    time: { path: 'at', unit: 'ms' },
    lateness: '1h',
    fields: { amount: number() },
    renamed: { amount: ['total', 'sum.total'] },
  }),
])

function decode(members: object): DecodedEvent | Refusal {
  return decodePayload(Buffer.from(JSON.stringify({ type: 'visit', id: 1, user: 'u', at: 1, ...members })), contracts)
}

describe('a renamed field', () => {
  it.each([
    ['its own path', { amount: 1, total: 2, sum: { total: 3 } }, 1],
    ['the first older path that has a value', { total: 2, sum: { total: 3 } }, 2],
    ['the last', { sum: { total: 3 } }, 3],
  ])('is read at %s', (_what, members, amount) => {
    expect(expectEvent(decode(members)).fields.get('amount')).toBe(amount)
  })

  it('is null where its own path says so, whatever an older one says', () => {
    expect(expectRefusal(decode({ amount: null, total: 2 })).detail).toContain('"amount" is missing')
  })

  it('is refused at the path where its value was found', () => {
    expect(expectRefusal(decode({ total: 'x' }))).toEqual({
      reason: 'contract',
      detail: 'visit: the field amount at "total" is not a number.',
      type: 'visit',
      field: 'amount',
    })
    expect(expectRefusal(decode({})).detail).toContain('the field amount at "amount" is missing')
  })

  it('has older paths that the contract names, so they are not unknown', () => {
    const { unknownFields } = expectEvent(decode({ amount: 1, total: 2, sum: { total: 3, tax: 1 } }))
    expect(unknownFields).toBe(1)
  })
})
