import { describe, expect, it } from 'vitest'
import { upstreamJson } from '../../src/testing/upstream-json.ts'
import { event } from '../../src/event/contract.ts'
import { text } from '../../src/event/field.ts'
import { order, visit } from './shop.ts'

const envelope = { typePath: 'meta.type', id: 'o-1', userId: 'c1', ts: Date.UTC(2026, 0, 1, 12, 0, 0, 250) }

describe("upstream's JSON of plain field values", () => {
  it("has each value at the contract's own path, and the current version", () => {
    expect(upstreamJson(order, { amount: 12.5, channel: 'app' }, envelope)).toEqual({
      meta: { type: 'order.placed', version: 2 },
      orderId: 'o-1',
      customer: { id: 'c1' },
      placedAt: '2026-01-01T12:00:00.250Z',
      total: { amount: 12.5 },
      channel: 'app',
    })
  })

  it("has the time in the contract's unit", () => {
    expect(upstreamJson(visit, { seconds: null }, envelope)).toEqual({
      meta: { type: 'site.visited' },
      visit: { id: 'o-1' },
      visitor: 'c1',
      at: 1_767_268_800.25,
      seconds: null,
    })
  })

  it('leaves out what is undefined, and takes the word of the test where a field is the id', () => {
    const letter = event('letter', {
      id: 'id',
      user: 'user',
      time: 'at',
      lateness: '1h',
      fields: { id: text(), subject: text({ optional: true }) },
    })
    expect(upstreamJson(letter, { id: 'mine', subject: undefined }, { ...envelope, typePath: 'type' })).toStrictEqual({
      type: 'letter',
      id: 'mine',
      user: 'c1',
      at: '2026-01-01T12:00:00.250Z',
    })
  })

  it('refuses a field that the contract does not have, and names those it has', () => {
    expect(() => upstreamJson(order, { toString: 1 }, envelope)).toThrowError(
      expect.objectContaining({ code: 'field-unknown', next: expect.stringContaining('amount, item, channel, gift') }),
    )
  })

  it('refuses a path below a value', () => {
    const odd = event('odd', {
      id: 'id',
      user: 'user',
      time: 'at',
      lateness: '1h',
      fields: { part: text({ path: 'user.x' }) },
    })
    expect(() => upstreamJson(odd, { part: 'x' }, envelope)).toThrowError(
      expect.objectContaining({ code: 'path-blocked' }),
    )
  })
})
