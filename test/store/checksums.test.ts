import { crc32, gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deflateBlob, inflateBlob, PLAIN_BYTES_MAX } from '../../src/store/blob-codec.ts'
import {
  dedupProblem,
  type ItemSums,
  lengthProblem,
  packSums,
  plainProblem,
  SUM_BYTES,
  sumOfBlob,
  sumOfPlain,
  unpackSums,
} from '../../src/store/checksums.ts'
import { CorruptItemError } from '../../src/store/errors.ts'
import { withBitFlipped } from './damage.ts'

const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const blobSum = fc.record({ length: u32, plainLength: fc.integer({ min: 0, max: PLAIN_BYTES_MAX }), crc32: u32 })
const sums = fc.record({ st: blobSum, ft: blobSum, pr: blobSum, dedup: fc.record({ length: u32, crc32: u32 }) })

const EXAMPLE: ItemSums = {
  st: { length: 1, plainLength: 2, crc32: 3 },
  ft: { length: 4, plainLength: 5, crc32: 6 },
  pr: { length: 7, plainLength: 8, crc32: 9 },
  dedup: { length: 10, crc32: 0xffff_ffff },
}

describe('the sums of an item', () => {
  it('unpack to what was packed', () => {
    fc.assert(
      fc.property(sums, value => {
        expect(unpackSums(packSums(value))).toEqual(value)
      }),
    )
  })

  it('are one version byte and 11 big-endian numbers', () => {
    const packed = Buffer.from(packSums(EXAMPLE))
    const numbers = Array.from({ length: 11 }, (_, index) => packed.readUInt32BE(1 + index * 4))
    expect([packed[0], ...numbers]).toEqual([1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xffff_ffff])
  })

  it('are refused when cut, grown, of another version, or of a blob beyond the cap', () => {
    const packed = packSums(EXAMPLE)
    expect(() => unpackSums(packed.subarray(0, -1))).toThrow('44 bytes instead of 45')
    expect(() => unpackSums(Uint8Array.of(...packed, 0))).toThrow('46 bytes instead of 45')
    expect(() => unpackSums(new Uint8Array())).toThrow('0 bytes instead of 45')
    expect(() => unpackSums(Uint8Array.of(2, ...packed.subarray(1)))).toThrow('version 2, this code reads 1')
    const beyond = packSums({ ...EXAMPLE, ft: { ...EXAMPLE.ft, plainLength: PLAIN_BYTES_MAX + 1 } })
    expect(() => unpackSums(beyond)).toThrow('sum: ft of')
  })

  it('are read from any place in a larger buffer', () => {
    const packed = packSums(EXAMPLE)
    const larger = Buffer.concat([Buffer.alloc(3, 9), packed, Buffer.alloc(3, 9)])
    expect(unpackSums(larger.subarray(3, 3 + SUM_BYTES))).toEqual(EXAMPLE)
  })

  it('cannot be packed from numbers that 32 bits do not hold', () => {
    for (const length of [2 ** 32, -1, 0.5, Number.NaN]) {
      expect(() => packSums({ ...EXAMPLE, dedup: { length, crc32: 0 } })).toThrow(
        expect.objectContaining({ code: 'item-invalid' }),
      )
    }
  })
})

describe('what each field finds', () => {
  const plain = Buffer.from('{"a":1}'.repeat(50))
  const blob = deflateBlob(plain)
  const sum = sumOfBlob(blob, plain)

  it('nothing, where the bytes are those that were summed', () => {
    expect(lengthProblem('st', blob, sum)).toBeUndefined()
    expect(plainProblem('st', plain, sum)).toBeUndefined()
    expect(dedupProblem(plain, sumOfPlain(plain))).toBeUndefined()
  })

  it('the length: torn and grown blobs, without inflating', () => {
    expect(lengthProblem('st', blob.subarray(1), sum)).toBe(`st: ${blob.length - 1} bytes, its sum says ${blob.length}`)
    expect(lengthProblem('pr', Buffer.concat([blob, blob]), sum)).toMatch(/^pr: /)
  })

  it('plain length and CRC: other bytes, of another length and of the same', () => {
    expect(plainProblem('ft', plain.subarray(1), sum)).toBe(
      `ft: ${plain.length - 1} plain bytes, its sum says ${plain.length}`,
    )
    const other = Buffer.from(plain)
    other[5] = 0x32
    expect(plainProblem('ft', other, sum)).toBe('ft: its CRC-32 does not agree')
  })

  it('any bit flipped in a blob that zlib itself lets pass: its Adler-32 misses some', () => {
    const numbers = Buffer.from(JSON.stringify(Array.from({ length: 100 }, (_, index) => index * 7919)))
    const stored = deflateBlob(numbers)
    const numbersSum = sumOfBlob(stored, numbers)
    let missedByZlib = 0
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const inflated = inflatedOrUndefined(withBitFlipped(stored, bit))
      if (inflated === undefined || numbers.equals(inflated)) continue
      missedByZlib++
      expect(plainProblem('st', inflated, numbersSum)).toMatch(/^st: /)
    }
    expect(missedByZlib).toBeGreaterThan(0)
  })

  it('every single bit of dedup', () => {
    const dedupSum = sumOfPlain(plain)
    for (let bit = 0; bit < plain.length * 8; bit++) {
      expect(dedupProblem(withBitFlipped(plain, bit), dedupSum)).toBe('dedup: its CRC-32 does not agree')
    }
    expect(dedupProblem(plain.subarray(1), dedupSum)).toMatch(/^dedup: \d+ bytes, its sum says/)
  })

  it('and CRC and plain length are the trailer that gzip wants', () => {
    const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(sum.crc32, 0)
    trailer.writeUInt32LE(sum.plainLength, 4)
    expect(gunzipSync(Buffer.concat([header, blob.subarray(2, -4), trailer]))).toEqual(plain)
    expect(sum.crc32).toBe(crc32(plain))
  })
})

function inflatedOrUndefined(blob: Uint8Array): Uint8Array | undefined {
  try {
    return inflateBlob('st', blob)
  } catch (error) {
    if (error instanceof CorruptItemError) return undefined
    throw error
  }
}
