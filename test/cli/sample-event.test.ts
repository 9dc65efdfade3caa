import { choice, event, flag, number, text } from 'millrace'
import { describe, expect, it } from 'vitest'
import { sampleEvent } from '../../src/cli/sample-event.ts'
import { compileContracts } from '../../src/event/compile-contracts.ts'
import { decodePayload } from '../../src/event/decode.ts'

const NOW_MS = Date.UTC(2026, 0, 31, 12)
const options = { typePath: 'meta.type', id: '7', userId: 'u1', nowMs: NOW_MS }

const order = event('order.placed', {
  id: 'meta.id',
  user: 'customer.id',
  time: { path: 'at', unit: 's' },
  lateness: '6h',
  fields: {
    amount: number({ scale: 2 }),
    city: text({ path: 'customer.address.city' }),
    channel: choice('web', 'app'),
    gift: flag({ default: false }),
    buyer: text({ path: 'customer.id' }),
    note: text({ optional: true }),
  },
})

describe('sampleEvent', () => {
  it('has values at their paths, defaults where there are some, and the id and the user as they are asked for', () => {
    expect(sampleEvent(order, options)).toEqual({
      meta: { type: 'order.placed', id: '7' },
      customer: { id: 'u1', address: { city: 'city' } },
      at: NOW_MS / 1000,
      amount: 1,
      channel: 'web',
      gift: false,
      note: 'note',
    })
  })

  it.each([{ path: 'at', unit: 's' }, { path: 'at', unit: 'ms' }, 'at'] as const)(
    'is an event of its own contract, whose time is %j',
    time => {
      const contract = { ...order, time }
      const contracts = compileContracts([contract], { typePath: 'meta.type' })
      const decoded = decodePayload(Buffer.from(JSON.stringify(sampleEvent(contract, options))), contracts)
      expect(decoded).toMatchObject({ type: 'order.placed', id: '7', userId: 'u1', ts: NOW_MS, unknownFields: 0 })
    },
  )

  it('is an event of its own contract where that asks for a version', () => {
    const contract = { ...order, version: { path: 'meta.schema', current: 3 } }
    const contracts = compileContracts([contract], { typePath: 'meta.type' })
    const decoded = decodePayload(Buffer.from(JSON.stringify(sampleEvent(contract, options))), contracts)
    expect(decoded).toMatchObject({ type: 'order.placed', id: '7', unknownFields: 0 })
  })
})
