import { describe, expect, it } from 'vitest'
import { compileContracts } from '../../src/event/compile-contracts.ts'
import { event } from '../../src/event/contract.ts'
import { choice, number } from '../../src/event/field.ts'
import { ContractComparison } from '../../src/replay/contract-change.ts'
import { rawRecord } from '../recompute/harness.ts'

const contract = (fields: Parameters<typeof event>[1]['fields']) =>
  compileContracts([event('order', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields })])
const before = contract({ amount: number({ scale: 2 }), channel: choice('web', 'app') })
const now = contract({ amount: number({ scale: 2, optional: true }), channel: choice('web') })

const payload = (changes: object) => ({
  type: 'order',
  id: '1',
  user: 'u',
  at: '2026-01-02T03:04:05Z',
  amount: 1,
  channel: 'web',
  ...changes,
})
const EVENTS = [
  payload({}),
  payload({ channel: 'app' }),
  payload({ amount: undefined }),
  payload({ channel: 'fax' }),
  payload({ channel: 'app', amount: 2 }),
]

describe('events under the contracts before and now', () => {
  it('are counted by what becomes of them, and the first newly refused place is named', () => {
    const comparison = new ContractComparison(before, now)
    for (const [index, one] of EVENTS.entries()) comparison.addRecord(rawRecord(one, index + 1))
    expect(comparison.summary()).toEqual({
      events: 5,
      refusedBefore: 2,
      refusedNow: 3,
      newlyRefused: 2,
      newlyTaken: 1,
      reasons: [
        expect.objectContaining({
          reason: 'contract',
          count: 2,
          first: 2,
          places: [expect.objectContaining({ type: 'order', field: 'channel', count: 2, first: 2 })],
        }),
      ],
    })
  })

  it('count as taken before where nothing is deployed', () => {
    const comparison = new ContractComparison(undefined, now)
    for (const [index, one] of EVENTS.entries()) comparison.addPayload(Buffer.from(JSON.stringify(one)), index + 1)
    expect(comparison.summary()).toMatchObject({ refusedBefore: 0, refusedNow: 3, newlyRefused: 3, newlyTaken: 0 })
  })
})
