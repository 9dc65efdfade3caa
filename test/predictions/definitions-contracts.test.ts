import { describe, expect, it } from 'vitest'
import { compileContracts } from '../../src/event/compile-contracts.ts'
import { type EventContract, event } from '../../src/event/contract.ts'
import { decodePayload } from '../../src/event/decode.ts'
import { describeContract, type JsonObject } from '../../src/event/describe-contract.ts'
import { choice, flag, number, text } from '../../src/event/field.ts'
import { convert, move, replace, set } from '../../src/event/upgrade-steps.ts'
import { contractOf } from '../../src/predictions/definitions-contracts.ts'
import { order, visit } from '../features/factories.ts'

const full = event('order.placed', {
  id: 'orderId',
  user: 'customer.id',
  time: { path: 'at', unit: 's' },
  lateness: '6h',
  fields: {
    amount: number({ scale: 2, nullable: true }),
    weight: number({ path: 'parcel.grams' }),
    channel: choice(['web', 'app'], { unknown: 'other' }),
    gift: flag({ default: false }),
    item: text({ path: 'line.item', optional: true }),
  },
  renamed: { amount: ['total', 'sum.total'] },
  version: { path: 'v', current: 2, absent: 1 },
  upgrade: {
    1: [move('a', 'parcel.grams'), convert('total', 0.01), replace('channel', { 1: 'web' }), set('gift', true)],
  },
  owner: 'ana',
  about: 'An order.',
})

/** As it comes out of the catalogue. */
const reread = (contract: EventContract): EventContract =>
  contractOf(JSON.parse(JSON.stringify(describeContract(contract))) as JsonObject)

describe('a contract back from its description', () => {
  it.each([
    ['with everything', full],
    ['plain', order],
    ['with one field', visit],
  ] as const)('has that description: %s', (_, contract) => {
    expect(describeContract(reread(contract))).toEqual(describeContract(contract))
  })

  it.each([
    { v: 2, amount: 19.99, parcel: { grams: 7 }, channel: 'web' },
    { v: 2, amount: null, parcel: { grams: 7 }, channel: 'fax', gift: true, line: { item: 'a' } },
    { total: 1999, a: 3, channel: '1' },
    { v: 2, channel: 'web', parcel: { grams: 7 } },
    { v: 3, amount: 1, channel: 'web' },
    { v: 2, amount: 1, channel: 7, parcel: { grams: 7 } },
  ])('reads %j alike', payload => {
    const bytes = Buffer.from(
      JSON.stringify({ type: 'order.placed', orderId: 'o1', customer: { id: 'u' }, at: 1_700_000_000, ...payload }),
    )
    const [first, second] = [full, reread(full)].map(contract => decodePayload(bytes, compileContracts([contract])))
    expect(second).toEqual(first)
  })
})
