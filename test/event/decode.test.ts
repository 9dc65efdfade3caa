import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileContracts } from '../../src/event/compile-contracts.ts'
import { event } from '../../src/event/contract.ts'
import { decodePayload, decodeRecord, isRefusal } from '../../src/event/decode.ts'
import type { DecodedEvent, Refusal, RefusalReason } from '../../src/event/decoded-event.ts'
import { choice, flag, number, text } from '../../src/event/field.ts'
import { EVENT_BYTES_MAX, TEXT_BYTES_MAX } from '../../src/event/limits.ts'
import { eventIdHash } from '../../src/platform/hash.ts'

const order = event('order.placed', {
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
const visit = event('visit', {
  id: 'id',
  user: 'user',
  time: { path: 'at', unit: 's' },
  lateness: '1h',
  fields: {},
})
const contracts = compileContracts([order, visit])

const GOOD = {
  type: 'order.placed',
  orderId: 'o-1',
  placedAt: '2026-01-02T03:04:05.678Z',
  customer: { id: 'u-1', tier: 'gold' },
  amount: 12.5,
  item: 'shoe',
}

function decodeText(json: string): DecodedEvent | Refusal {
  return decodePayload(Buffer.from(json), contracts)
}

function decode(payload: unknown): DecodedEvent | Refusal {
  return decodeText(JSON.stringify(payload))
}

/** GOOD with the text of one member replaced: for JSON that JSON.stringify does not write. */
function withMember(json: string): string {
  return `{${JSON.stringify(GOOD).slice(1, -1)},${json}}`
}

function recordOf(dataBase64: string) {
  return { stream: 'events@1', shard: 's', sequence: '1', arrivalMs: 0, partitionKey: 'u-1', dataBase64 }
}

function expectEvent(decoded: DecodedEvent | Refusal): DecodedEvent {
  if (isRefusal(decoded)) throw new Error(`refused: ${decoded.detail}`)
  return decoded
}

function expectRefusal(decoded: DecodedEvent | Refusal): Refusal {
  if (!isRefusal(decoded)) throw new Error('was not refused')
  return decoded
}

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

describe('bad input', () => {
  const nested = (depth: number) => withMember(`"x":${'['.repeat(depth)}${']'.repeat(depth)}`)
  const table: readonly (readonly [what: string, json: string, reason: RefusalReason])[] = [
    ['nothing at all', '', 'not-json'],
    ['a text that is not JSON', 'hello', 'not-json'],
    ['cut JSON', JSON.stringify(GOOD).slice(0, -1), 'not-json'],
    ['a BOM before the JSON', `\ufeff${JSON.stringify(GOOD)}`, 'not-json'],
    ['NaN', withMember('"weight":NaN'), 'not-json'],
    ['a number as payload', '1', 'unknown-type'],
    ['null as payload', 'null', 'unknown-type'],
    ['a list as payload', `[${JSON.stringify(GOOD)}]`, 'unknown-type'],
    ['no type', '{}', 'unknown-type'],
    ['an unknown type', '{"type":"order.lost"}', 'unknown-type'],
    ['an inherited name as type', '{"type":"toString"}', 'unknown-type'],
    ['a type that is not text', '{"type":7}', 'unknown-type'],
    ['1e400 in a field', withMember('"weight":1e400'), 'contract'],
    ['-1e400 in a scaled field', withMember('"fee":-1e400'), 'contract'],
    ['a scaled number beyond 2^53 - 1', withMember('"fee":90071992547409.92'), 'contract'],
    ['a number as text', withMember('"weight":"12"'), 'contract'],
    ['a flag as text', withMember('"gift":"true"'), 'contract'],
    ['a word that is no choice', withMember('"channel":"fax"'), 'contract'],
    ['an object where text is due', JSON.stringify({ ...GOOD, item: {} }), 'contract'],
    ['a required field that is absent', JSON.stringify({ ...GOOD, item: undefined }), 'contract'],
    ['a required field that is null', JSON.stringify({ ...GOOD, item: null }), 'contract'],
    ['a text of 1 MB', JSON.stringify({ ...GOOD, item: 'x'.repeat(1_000_000) }), 'contract'],
    ['a text one byte too long', JSON.stringify({ ...GOOD, item: `ä${'x'.repeat(TEXT_BYTES_MAX - 1)}` }), 'contract'],
    ['no event id', JSON.stringify({ ...GOOD, orderId: undefined }), 'contract'],
    ['an empty event id', JSON.stringify({ ...GOOD, orderId: '' }), 'contract'],
    ['an event id over 256 bytes', JSON.stringify({ ...GOOD, orderId: 'x'.repeat(257) }), 'contract'],
    ['an event id with a fraction', JSON.stringify({ ...GOOD, orderId: 1.5 }), 'contract'],
    ['an event id that lost digits', withMember('"x":1').replace('"o-1"', '12345678901234567890'), 'contract'],
    ['no user', JSON.stringify({ ...GOOD, customer: {} }), 'user-id-invalid'],
    ['text where the user object is due', JSON.stringify({ ...GOOD, customer: 'u-1' }), 'user-id-invalid'],
    ['an empty user id', JSON.stringify({ ...GOOD, customer: { id: '' } }), 'user-id-invalid'],
    ['a user id over 256 bytes', JSON.stringify({ ...GOOD, customer: { id: 'ä'.repeat(129) } }), 'user-id-invalid'],
    ['a user id with NUL', JSON.stringify({ ...GOOD, customer: { id: 'a\u0000' } }), 'user-id-invalid'],
    ['a user id with DEL', JSON.stringify({ ...GOOD, customer: { id: 'a\u007f' } }), 'user-id-invalid'],
    ['a user id with a C1 control', JSON.stringify({ ...GOOD, customer: { id: 'a\u0085' } }), 'user-id-invalid'],
    ['a user id with #', JSON.stringify({ ...GOOD, customer: { id: 'a#b' } }), 'user-id-invalid'],
    ['a user id with /', JSON.stringify({ ...GOOD, customer: { id: 'a/b' } }), 'user-id-invalid'],
    ['a user id of 2^53', JSON.stringify({ ...GOOD, customer: { id: 2 ** 53 } }), 'user-id-invalid'],
    ['a user id that is true', JSON.stringify({ ...GOOD, customer: { id: true } }), 'user-id-invalid'],
    ['a time before 1970', JSON.stringify({ ...GOOD, placedAt: '1969-12-31T23:59:59.999Z' }), 'time-invalid'],
    ['a time without an offset', JSON.stringify({ ...GOOD, placedAt: '2026-01-02T03:04:05' }), 'time-invalid'],
    ['a time on no calendar', JSON.stringify({ ...GOOD, placedAt: '2026-02-29T03:04:05Z' }), 'time-invalid'],
    ['a number where RFC 3339 is due', JSON.stringify({ ...GOOD, placedAt: 1_767_323_045 }), 'time-invalid'],
    ['no time', JSON.stringify({ ...GOOD, placedAt: undefined }), 'time-invalid'],
    ['nesting just over the cap', nested(64), 'too-deep'],
    ['nesting of 100,000', nested(100_000), 'too-deep'],
    ['nesting of 100,000 that never closes', '{"a":'.repeat(100_000), 'too-deep'],
    ['__proto__ as a key', withMember('"__proto__":{"x":1}'), 'forbidden-key'],
    ['__proto__ written with an escape', withMember('"\\u005f_proto__":1'), 'forbidden-key'],
    ['constructor as a key, deep inside', withMember('"x":[{"y":{"constructor":1}}]'), 'forbidden-key'],
    ['prototype as a key', withMember('"prototype":1'), 'forbidden-key'],
    ['a key twice', withMember('"item":"boot"'), 'duplicate-key'],
    ['a key twice, once with an escape', withMember('"ite\\u006d":"boot"'), 'duplicate-key'],
    ['a key twice, deep inside a list', withMember('"x":[[{"a":1,"b":2,"a":3}]]'), 'duplicate-key'],
    ['a lone surrogate in a field', withMember('"tail":"\\ud800"'), 'not-utf8'],
    ['a lone surrogate in a key', withMember('"\\udc00":1'), 'not-utf8'],
    ['a lone surrogate in a list', withMember('"x":["\\uD83D\\uD83D"]'), 'not-utf8'],
    ['a payload over the cap', JSON.stringify({ ...GOOD, note: 'x'.repeat(EVENT_BYTES_MAX) }), 'too-big'],
  ]
  it.each(table)('refuses %s', (_what, json, reason) => {
    expect(expectRefusal(decodeText(json)).reason).toBe(reason)
  })

  it.each([
    ['nesting at the cap', nested(63)],
    ['a key that is written once in each of two objects', withMember('"x":[{"a":1},{"a":2}]')],
    ['colons and braces inside texts', withMember('"x":"a\\":{[:::[{\\\\"')],
    ['a pair of surrogates by escapes', withMember('"x":"\\ud83d\\ude00"')],
    ['a text at the cap', JSON.stringify({ ...GOOD, item: 'x'.repeat(TEXT_BYTES_MAX) })],
    ['a user id of 256 bytes', JSON.stringify({ ...GOOD, customer: { id: 'ä'.repeat(128) } })],
    ['1e400 where nobody looks', withMember('"x":1e400')],
  ])('takes %s', (_what, json) => {
    expect(isRefusal(decodeText(json))).toBe(false)
  })

  it.each([
    ['an invalid byte', [0x22, 0xff, 0x22]],
    ['a surrogate in bytes', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['gzip', [0x1f, 0x8b, 8, 0, 0]],
  ])('refuses %s as not UTF-8', (_what, bytes) => {
    expect(expectRefusal(decodePayload(Uint8Array.from(bytes), contracts)).reason).toBe('not-utf8')
  })

  it.each(['*', 'e30', 'e30=\n', 'e3 0=', 'e31=', 'e30==', '=e30', '_30=', 'e30=e30=', 'ť30='])(
    'refuses %j as not base64',
    data => {
      expect(expectRefusal(decodeRecord(recordOf(data), contracts)).reason).toBe('not-base64')
    },
  )

  it('refuses a record over the cap before it decodes it', () => {
    const data = '*'.repeat(Math.ceil(EVENT_BYTES_MAX / 3) * 4 + 1)
    expect(expectRefusal(decodeRecord(recordOf(data), contracts)).reason).toBe('too-big')
  })

  it('takes a record at the cap to the byte', () => {
    const data = Buffer.from(JSON.stringify(GOOD).padEnd(EVENT_BYTES_MAX)).toString('base64')
    expect(isRefusal(decodeRecord(recordOf(data), contracts))).toBe(false)
  })

  it('names the field and its path, and never the value', () => {
    const secret = 'hunter2-secret'
    const amount = expectRefusal(decode({ ...GOOD, amount: secret }))
    expect(amount.detail).toBe('order.placed: the field amount at "amount" is not a number.')
    const bad = [
      { ...GOOD, item: [secret] },
      { ...GOOD, channel: secret },
      { ...GOOD, customer: { id: `${secret}#` } },
      { ...GOOD, placedAt: secret },
      { ...GOOD, orderId: secret.repeat(30) },
      { ...GOOD, type: secret },
      { ...GOOD, customer: { id: 'u', tier: { [secret]: 1 } } },
    ]
    for (const payload of bad) expect(expectRefusal(decode(payload)).detail).not.toContain(secret)
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
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      mutated,
      fc.json().map(json => Buffer.from(json)),
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
