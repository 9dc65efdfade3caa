// A good payload and the contracts that it is decoded by, for tests of decoding.
import { compileContracts } from '../../src/event/compile-contracts.ts'
import { event } from '../../src/event/contract.ts'
import { decodePayload, isRefusal } from '../../src/event/decode.ts'
import type { DecodedEvent, Refusal } from '../../src/event/decoded-event.ts'
import { choice, flag, number, text } from '../../src/event/field.ts'

export const order = event('order.placed', {
  id: 'orderId',
  user: 'customer.id',
  time: 'placedAt',
  lateness: '6h',
  fields: {
    amount: number({ scale: 2 }),
    weight: number({ optional: true }),
    item: text(),
    channel: choice(['web', 'app'], { default: 'web' }),
    gift: flag({ optional: true }),
    tier: text({ path: 'customer.tier', optional: true }),
    fee: number({ scale: 2, default: 1.5 }),
  },
})
export const visit = event('visit', {
  id: 'id',
  user: 'user',
  time: { path: 'at', unit: 's' },
  lateness: '1h',
  fields: {},
})
export const contracts = compileContracts([order, visit])

export const GOOD = {
  type: 'order.placed',
  orderId: 'o-1',
  placedAt: '2026-01-02T03:04:05.678Z',
  customer: { id: 'u-1', tier: 'gold' },
  amount: 12.5,
  item: 'shoe',
}

export function decodeText(json: string): DecodedEvent | Refusal {
  return decodePayload(Buffer.from(json), contracts)
}

export function decode(payload: unknown): DecodedEvent | Refusal {
  return decodeText(JSON.stringify(payload))
}

/** GOOD with the text of one member replaced: for JSON that JSON.stringify does not write. */
export function withMember(json: string): string {
  return `{${JSON.stringify(GOOD).slice(1, -1)},${json}}`
}

export function recordOf(dataBase64: string) {
  return { stream: 'events@1', shard: 's', sequence: '1', arrivalMs: 0, partitionKey: 'u-1', dataBase64 }
}

export function expectEvent(decoded: DecodedEvent | Refusal): DecodedEvent {
  if (isRefusal(decoded)) throw new Error(`refused: ${decoded.detail}`)
  return decoded
}

export function expectRefusal(decoded: DecodedEvent | Refusal): Refusal {
  if (!isRefusal(decoded)) throw new Error('was not refused')
  return decoded
}
