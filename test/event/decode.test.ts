import { deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileContracts } from '../../src/event/compile-contracts.ts'
import { event } from '../../src/event/contract.ts'
import { decodePayload, decodeRecord } from '../../src/event/decode.ts'
import { number, text } from '../../src/event/field.ts'
import { eventIdHash } from '../../src/platform/hash.ts'
import {
  contracts,
  decode,
  decodeText,
  expectEvent,
  GOOD,
  order,
  recordOf,
  visit,
  withMember,
} from './order-payloads.ts'

describe('a good event', () => {
  it('becomes what its contract says, numbers at their scale', () => {
    const decoded = expectEvent(decode(GOOD))
    expect(decoded).toMatchObject({
      type: 'order.placed',
      id: 'o-1',
      idHash: eventIdHash('order.placed', 'o-1'),
      userId: 'u-1',
      ts: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
      unknownFields: 0,
    })
    expect(Object.fromEntries(decoded.fields)).toEqual({
      amount: 1250,
      weight: null,
      item: 'shoe',
      channel: 'web',
      gift: null,
      tier: 'gold',
      fee: 150,
    })
  })

  it('reads the same from a record as from its bytes', () => {
    const bytes = Buffer.from(JSON.stringify(GOOD))
    expect(decodeRecord(recordOf(bytes.toString('base64')), contracts)).toEqual(decodePayload(bytes, contracts))
  })

  it('counts members that no path names, at every depth, and ignores them', () => {
    const customer = { ...GOOD.customer, mail: 'x@example.com', address: { city: 'Ulm' } }
    const decoded = expectEvent(decode({ ...GOOD, customer, note: [{ a: 1 }, { a: 2 }] }))
    expect(decoded.unknownFields).toBe(6)
    expect(decoded.fields).toEqual(expectEvent(decode(GOOD)).fields)
  })

  it('takes null and an absent parent as absence where a field is optional or has a default', () => {
    const { fields } = expectEvent(decode({ ...GOOD, weight: null, channel: null, gift: null }))
    expect([fields.get('weight'), fields.get('channel'), fields.get('gift')]).toEqual([null, 'web', null])
  })

  it('reads integers as ids, in decimal text', () => {
    const decoded = expectEvent(decode({ ...GOOD, orderId: 17, customer: { id: Number.MAX_SAFE_INTEGER } }))
    expect([decoded.id, decoded.userId]).toEqual(['17', '9007199254740991'])
  })

  it('reads -0 as 0', () => {
    expect(expectEvent(decodeText(withMember('"weight":-0'))).fields.get('weight')).toBe(0)
    expect(expectEvent(decodeText(withMember('"fee":-0.001'))).fields.get('fee')).toBe(0)
  })

  it('finds the type at another path', () => {
    const meta = compileContracts([visit], { typePath: 'meta.type' })
    const bytes = Buffer.from('{"meta":{"type":"visit"},"id":1,"user":"u","at":1700000000.5}')
    expect(decodePayload(bytes, meta)).toMatchObject({ ts: 1_700_000_000_500, unknownFields: 0 })
  })

  it('does not take what an object or a list inherits for a member', () => {
    const fields = { toString: text({ optional: true }), size: number({ path: 'items.length', optional: true }) }
    const odd = compileContracts([event('odd', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields })])
    const bytes = Buffer.from('{"type":"odd","id":1,"user":"u","at":"2026-01-02T03:04:05Z","items":[1]}')
    const decoded = expectEvent(decodePayload(bytes, odd))
    expect([...decoded.fields.values(), decoded.unknownFields]).toEqual([null, null, 0])
  })
})

describe('laws', () => {
  it('never throws, whatever the bytes', () => {
    const text = JSON.stringify(GOOD)
    const mutated = fc
      .tuple(
        fc.nat(text.length),
        fc.nat(12),
        fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.json({ maxDepth: 3 })),
      )
      .map(([at, cut, insert]) => Buffer.from(text.slice(0, at) + insert + text.slice(at + cut)))
    const plain = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      mutated,
      fc.json().map(json => Buffer.from(json)),
    )
    const head = fc.constantFrom([0x1f, 0x8b], [0x1f, 0x8b, 8, 0], [0x78, 0x9c], [0x78, 0x01], [0xf3, 0x89, 0x9a, 0xc2])
    const bytes = fc.oneof(
      plain,
      fc.tuple(head, plain).map(([first, rest]) => Buffer.concat([Buffer.from(first), rest])),
      fc
        .tuple(plain, fc.nat(40), fc.nat(255), fc.constantFrom(gzipSync, deflateSync))
        .map(([input, at, byte, compress]) => damaged(compress(input), at, byte)),
    )
    fc.assert(
      fc.property(bytes, input => void decodePayload(input, contracts)),
      { numRuns: 2000 },
    )
    const data = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String())
    fc.assert(fc.property(data, input => void decodeRecord(recordOf(input), contracts)))
  })

  it('reads the same event whatever the order of keys, the spaces and the members beside it', () => {
    const known = new Set(['type', 'orderId', 'placedAt', 'customer', 'amount', 'item', ...Object.keys(order.fields)])
    const forbidden = new Set(['__proto__', 'constructor', 'prototype'])
    const extras = fc.dictionary(
      fc.string().filter(key => !known.has(key) && !forbidden.has(key)),
      fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.array(fc.boolean()), fc.constant(null)),
    )
    const expected = { ...expectEvent(decode(GOOD)), unknownFields: 0 }
    fc.assert(
      fc.property(
        extras,
        fc.infiniteStream(fc.nat()),
        fc.constantFrom(undefined, ' ', '\t\n'),
        (extra, order, space) => {
          const weight = new Map(Object.keys({ ...GOOD, ...extra }).map(key => [key, order.next().value]))
          const entries = Object.entries({ ...GOOD, ...extra }).sort(
            (a, b) => (weight.get(a[0]) ?? 0) - (weight.get(b[0]) ?? 0),
          )
          const decoded = expectEvent(decodeText(JSON.stringify(Object.fromEntries(entries), null, space)))
          expect(decoded.unknownFields).toBe(Object.keys(extra).length)
          expect({ ...decoded, unknownFields: 0 }).toEqual(expected)
        },
      ),
    )
  })
})

function damaged(bytes: Buffer, at: number, byte: number): Uint8Array {
  return Uint8Array.from(bytes, (before, index) => (index === at ? byte : before))
}
