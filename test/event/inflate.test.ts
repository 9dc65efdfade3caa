// Payloads that come compressed, or aggregated by a producer's library.
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodePayload, decodeRecord } from '../../src/event/decode.ts'
import { EVENT_BYTES_MAX } from '../../src/event/limits.ts'
import { contracts, decodeText, expectRefusal, GOOD, recordOf } from './order-payloads.ts'

const JSON_BYTES = Buffer.from(JSON.stringify(GOOD))
const COMPRESSIONS = [
  ['gzip', (bytes: Uint8Array) => gzipSync(bytes)],
  ['zlib', (bytes: Uint8Array) => deflateSync(bytes)],
  ['zlib at its fastest', (bytes: Uint8Array) => deflateSync(bytes, { level: 1 })],
  ['zlib at a middling level', (bytes: Uint8Array) => deflateSync(bytes, { level: 4 })],
  ['zlib at its best', (bytes: Uint8Array) => deflateSync(bytes, { level: 9 })],
  ['zlib that only stores', (bytes: Uint8Array) => deflateSync(bytes, { level: 0 })],
] as const

function reasonOf(bytes: Uint8Array): string {
  return expectRefusal(decodePayload(bytes, contracts)).reason
}

describe.each(COMPRESSIONS)('a payload as %s', (_name, compress) => {
  it('decodes as what is in it', () => {
    expect(decodePayload(compress(JSON_BYTES), contracts)).toEqual(decodeText(JSON.stringify(GOOD)))
    const record = recordOf(compress(JSON_BYTES).toString('base64'))
    expect(decodeRecord(record, contracts)).toEqual(decodeText(JSON.stringify(GOOD)))
  })

  it('decodes as what is in it, whatever JSON it is', () => {
    const json = fc.oneof(
      fc.json(),
      fc.json().map(extra => JSON.stringify({ ...GOOD, extra: JSON.parse(extra) as unknown })),
    )
    fc.assert(
      fc.property(json, input => {
        expect(decodePayload(compress(Buffer.from(input)), contracts)).toEqual(decodeText(input))
      }),
    )
  })

  it('is refused where it is torn anywhere after its first two bytes', () => {
    const bytes = compress(JSON_BYTES)
    for (let length = 2; length < bytes.length; length++)
      expect(reasonOf(bytes.subarray(0, length))).toBe('not-inflatable')
  })

  it.each([[[0]], [[0x7a]], [[0x1f]], [[0x1f, 0x8b]], [[...Buffer.from('{}')]]])(
    'is refused where %j follows it',
    garbage => {
      expect(reasonOf(Buffer.concat([compress(JSON_BYTES), Buffer.from(garbage)]))).toBe('not-inflatable')
    },
  )

  it('is refused where a byte of its checksum is damaged', () => {
    const bytes = Buffer.from(compress(JSON_BYTES))
    const last = bytes.length - (bytes[0] === 0x1f ? 5 : 1)
    bytes[last] = (bytes[last] ?? 0) ^ 1
    expect(reasonOf(bytes)).toBe('not-inflatable')
  })
})

describe('compressed payloads', () => {
  it.each(COMPRESSIONS.slice(0, 2))('as %s are read up to the cap to the byte, and no further', (_name, compress) => {
    const atCap = JSON.stringify(GOOD).padEnd(EVENT_BYTES_MAX)
    expect(decodePayload(compress(Buffer.from(atCap)), contracts)).toEqual(decodeText(JSON.stringify(GOOD)))
    const over = expectRefusal(decodePayload(compress(Buffer.from(`${atCap} `)), contracts))
    expect(over).toMatchObject({ reason: 'too-big', detail: expect.stringContaining('once inflated') as string })
  })

  it('that are a bomb are refused in the time of the cap', () => {
    const bomb = gzipSync(Buffer.alloc(200 * EVENT_BYTES_MAX))
    expect(bomb.length).toBeLessThan(EVENT_BYTES_MAX)
    const start = performance.now()
    expect(expectRefusal(decodePayload(bomb, contracts))).toMatchObject({
      reason: 'too-big',
      detail: expect.stringContaining('once inflated') as string,
    })
    expect(performance.now() - start).toBeLessThan(200)
  })

  it('may be gzip in several members, which together are capped', () => {
    const [head, tail] = [JSON_BYTES.subarray(0, 20), JSON_BYTES.subarray(20)]
    const joined = Buffer.concat([gzipSync(head), gzipSync(tail)])
    expect(decodePayload(joined, contracts)).toEqual(decodeText(JSON.stringify(GOOD)))
    const half = gzipSync(Buffer.alloc(EVENT_BYTES_MAX / 2 + 1, ' '))
    expect(reasonOf(Buffer.concat([half, half]))).toBe('too-big')
  })

  it('are inflated once, and never without a header', () => {
    expect(reasonOf(gzipSync(gzipSync(JSON_BYTES)))).toBe('not-utf8')
    expect(['not-utf8', 'not-json']).toContain(reasonOf(deflateRawSync(JSON_BYTES)))
  })

  it('have a header and not only its first byte', () => {
    expect(reasonOf(Buffer.from('x is no header'))).toBe('not-json')
  })
})

describe('a record aggregated by the Kinesis Producer Library', () => {
  it('is named, with what to do', () => {
    const record = Buffer.concat([Buffer.from([0xf3, 0x89, 0x9a, 0xc2]), Buffer.alloc(40, 7)])
    const refusal = expectRefusal(decodePayload(record, contracts))
    expect(refusal.reason).toBe('kpl-aggregated')
    expect(refusal.detail).toContain('set AggregationEnabled to false')
  })

  it('is told by all four bytes', () => {
    expect(reasonOf(Buffer.from([0xf3, 0x89, 0x9a]))).toBe('not-utf8')
    expect(decodeText('"󉚀"')).toMatchObject({ reason: 'unknown-type' })
  })
})
