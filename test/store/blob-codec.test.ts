import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFLATE_LEVEL, deflateBlob, inflateBlob, PLAIN_BYTES_MAX } from '../../src/store/blob-codec.ts'
import { CorruptItemError } from '../../src/store/errors.ts'
import { withBitFlipped } from './damage.ts'

const plain = Buffer.from(
  JSON.stringify({ text: 'abc'.repeat(200), numbers: Array.from({ length: 60 }, (_, index) => index * 7919) }),
)

function reasonOf(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    if (error instanceof CorruptItemError) return error.reason
    throw error
  }
  return 'read'
}

describe('a blob', () => {
  it('inflates to what was deflated', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), bytes => {
        expect(Buffer.from(inflateBlob('st', deflateBlob(bytes)))).toEqual(Buffer.from(bytes))
      }),
      { numRuns: 100 },
    )
  })

  it('is a zlib stream at the measured level, read whatever level it was written with', () => {
    expect(Buffer.from(deflateBlob(plain))).toEqual(deflateSync(plain, { level: DEFLATE_LEVEL }))
    for (let level = 0; level <= 9; level++) {
      expect(Buffer.from(inflateBlob('st', deflateSync(plain, { level })))).toEqual(plain)
    }
  })

  it('that was cut off anywhere is refused', () => {
    const blob = deflateBlob(plain)
    for (let length = 0; length < blob.length; length++) {
      expect(reasonOf(() => inflateBlob('st', blob.subarray(0, length)))).toBe('st: the zlib stream is cut off')
    }
  })

  it('with bytes after its end is refused, though zlib would read it', () => {
    const blob = deflateBlob(plain)
    for (const junk of [Buffer.from([0]), Buffer.from('junk'), Buffer.from(blob), Buffer.alloc(70_000)]) {
      const reason = `ft: ${junk.length} bytes after the end of the zlib stream`
      expect(reasonOf(() => inflateBlob('ft', Buffer.concat([blob, junk])))).toBe(reason)
    }
  })

  it('with a bit flipped in its header or its Adler-32 is refused; the bits between are for its sum', () => {
    const blob = deflateBlob(plain)
    const bits = Array.from({ length: 48 }, (_, index) => (index < 16 ? index : (blob.length - 6) * 8 + index))
    for (const bit of bits) {
      expect(reasonOf(() => inflateBlob('pr', withBitFlipped(blob, bit)))).toBe('pr: the zlib stream is damaged')
    }
  })

  it('that inflates without bound is refused, at the cap and at the length that is known', () => {
    const bomb = deflateSync(Buffer.alloc(PLAIN_BYTES_MAX + 1))
    expect(bomb.length).toBeLessThan(5000)
    expect(reasonOf(() => inflateBlob('st', bomb))).toBe(`st: inflates to more than ${PLAIN_BYTES_MAX} bytes`)
    expect(reasonOf(() => inflateBlob('st', bomb, Number.MAX_SAFE_INTEGER))).toContain('inflates to more than')
    expect(inflateBlob('st', deflateBlob(plain), plain.length)).toHaveLength(plain.length)
    expect(reasonOf(() => inflateBlob('st', deflateBlob(plain), plain.length - 1))).toContain('inflates to more than')
  })

  it('over the cap is not written either', () => {
    expect(inflateBlob('st', deflateBlob(Buffer.alloc(PLAIN_BYTES_MAX)))).toHaveLength(PLAIN_BYTES_MAX)
    expect(() => deflateBlob(Buffer.alloc(PLAIN_BYTES_MAX + 1))).toThrow(
      expect.objectContaining({ code: 'item-too-big' }),
    )
  })

  it('of random bytes is refused with a reason, never with another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        expect(reasonOf(() => inflateBlob('st', bytes))).toMatch(/^st: |^read$/)
      }),
      { numRuns: 200 },
    )
  })
})
