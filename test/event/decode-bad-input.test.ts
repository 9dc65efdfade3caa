// What decoding refuses, by which reason, and what it takes just this side of each bound.
import { describe, expect, it } from 'vitest'
import { decodePayload, decodeRecord, isRefusal } from '../../src/event/decode.ts'
import type { RefusalReason } from '../../src/event/decoded-event.ts'
import { EVENT_BYTES_MAX, TEXT_BYTES_MAX } from '../../src/event/limits.ts'
import { contracts, decode, decodeText, expectRefusal, GOOD, recordOf, withMember } from './order-payloads.ts'

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
    ['zstd', [0x28, 0xb5, 0x2f, 0xfd, 0]],
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
