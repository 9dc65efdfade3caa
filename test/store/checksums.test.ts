import { crc32, gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deflateBlob, inflateBlob, PLAIN_BYTES_MAX } from '../../src/store/blob-codec.ts'
import {
  type ItemHead,
  type ItemSums,
  packSums,
  plainProblem,
  sealedLayout,
  storedProblem,
  SUM_BYTES,
  sumOfBlob,
  sumOfStored,
} from '../../src/store/checksums.ts'
import { CorruptItemError } from '../../src/store/errors.ts'
import { unpackSums, withBitFlipped } from './damage.ts'

const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const storedSum = { length: u32, crc32: u32 }
const plainLength = fc.integer({ min: 0, max: PLAIN_BYTES_MAX })
const blobSum = fc.record({ ...storedSum, plainLength, plainCrc32: u32 })
const sums = fc.record({ st: blobSum, ft: blobSum, pr: blobSum, dedup: fc.record(storedSum) })

const EXAMPLE: ItemSums = {
  st: { length: 1, crc32: 2, plainLength: 3, plainCrc32: 4 },
  ft: { length: 5, crc32: 6, plainLength: 7, plainCrc32: 8 },
  pr: { length: 9, crc32: 10, plainLength: 11, plainCrc32: 12 },
  dedup: { length: 13, crc32: 0xffff_ffff },
}

const HEAD: ItemHead = {
  userId: 'Zoë',
  v: 7,
  at: 1_451_606_400_000,
  asOf: 1_451_606_460_000,
  definitions: '3f9c',
  models: { churn: '1', a: '2' },
  imports: ['i1', 'i2'],
}

describe('the sums of an item', () => {
  it('unpack to what was packed', () => {
    fc.assert(
      fc.property(sums, value => {
        expect(unpackSums(packSums(value, HEAD), HEAD)).toEqual(value)
      }),
    )
  })

  it('are one version byte and 16 big-endian numbers, the last two the CRCs of the head and of all before, v and user', () => {
    const packed = Buffer.from(packSums(EXAMPLE, HEAD))
    const numbers = Array.from({ length: 16 }, (_, index) => packed.readUInt32BE(1 + index * 4))
    const head = crc32('[1451606400000,1451606460000,null,"3f9c",[["a","2"],["churn","1"]],["i1","i2"]]')
    const own = crc32(Buffer.concat([packed.subarray(0, -4), Buffer.from('7 Zoë')]))
    expect([packed[0], ...numbers]).toEqual([2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0xffff_ffff, head, own])
  })

  it('are refused when cut, grown, or of a blob beyond the cap', () => {
    const packed = packSums(EXAMPLE, HEAD)
    expect(() => unpackSums(packed.subarray(0, -1), HEAD)).toThrow('64 bytes instead of 65')
    expect(() => unpackSums(Uint8Array.of(...packed, 0), HEAD)).toThrow('66 bytes instead of 65')
    for (const length of [0, 1, 4, 5]) {
      expect(() => unpackSums(packed.subarray(0, length), HEAD)).toThrow(`${length} bytes instead of 65`)
    }
    expect(() => unpackSums(Uint8Array.of(1, ...packed.subarray(1)), HEAD)).toThrow('does not agree')
    const beyond = packSums({ ...EXAMPLE, ft: { ...EXAMPLE.ft, plainLength: PLAIN_BYTES_MAX + 1 } }, HEAD)
    expect(() => unpackSums(beyond, HEAD)).toThrow('sum: ft of')
  })

  it('of a newer layout are told from damaged ones, however long they are', () => {
    for (const length of [5, 40, 200]) {
      const newer = new Uint8Array(length).fill(9)
      newer[0] = 4
      new DataView(newer.buffer).setUint32(length - 4, crc32('7 Zoë', crc32(newer.subarray(0, -4))))
      expect(sealedLayout(newer, HEAD)).toBe(4)
      expect(() => unpackSums(newer, HEAD)).toThrow('sum: layout 4, this code reads 2 to 3')
      expect(sealedLayout(withBitFlipped(newer, 0), HEAD)).toBeUndefined()
    }
    expect(sealedLayout(packSums(EXAMPLE, HEAD), HEAD)).toBe(2)
  })

  it('of an item with spilled values sum how many there are, in a layout of their own', () => {
    const spilled = { ...HEAD, spills: 2 }
    const packed = Buffer.from(packSums(EXAMPLE, spilled))
    const head = crc32('[1451606400000,1451606460000,null,"3f9c",[["a","2"],["churn","1"]],["i1","i2"],2]')
    expect([packed[0], packed.readUInt32BE(1 + 14 * 4)]).toEqual([3, head])
    expect(unpackSums(packed, spilled)).toEqual(EXAMPLE)
    for (const spills of [undefined, 0, 1, 3]) {
      expect(() => unpackSums(packed, { ...HEAD, spills }), String(spills)).toThrow('or spills: their CRC-32')
    }
    const from2 = packSums(EXAMPLE, HEAD)
    expect(unpackSums(from2, spilled), 'of an item from before there was layout 3').toEqual(EXAMPLE)
  })

  it('are refused beside any other head', () => {
    const packed = packSums(EXAMPLE, HEAD)
    const others: readonly Partial<ItemHead>[] = [
      { userId: 'Zoe' },
      { v: 8 },
      { v: 77, userId: ' Zoë' },
      { at: HEAD.at + 1 },
      { asOf: HEAD.at },
      { at: HEAD.asOf, asOf: HEAD.at },
      { fresh: 0 },
      { definitions: '3f9d' },
      { models: { churn: '2', a: '1' } },
      { models: { a: '2' } },
      { models: {} },
      { imports: ['i1'] },
      { imports: ['i1', 'i2', 'i3'] },
    ]
    for (const other of others) {
      expect(() => unpackSums(packed, { ...HEAD, ...other }), JSON.stringify(other)).toThrow(CorruptItemError)
    }
    expect(unpackSums(packed, { ...HEAD, models: { a: '2', churn: '1' } })).toEqual(EXAMPLE)
  })

  it('are refused with any single bit flipped: a gzip trailer is made of them alone', () => {
    const packed = packSums(EXAMPLE, HEAD)
    for (let bit = 0; bit < packed.length * 8; bit++) {
      expect(() => unpackSums(withBitFlipped(packed, bit), HEAD)).toThrow(CorruptItemError)
    }
  })

  it('are read from any place in a larger buffer', () => {
    const packed = packSums(EXAMPLE, HEAD)
    const larger = Buffer.concat([Buffer.alloc(3, 9), packed, Buffer.alloc(3, 9)])
    expect(unpackSums(larger.subarray(3, 3 + SUM_BYTES), HEAD)).toEqual(EXAMPLE)
  })

  it('cannot be packed from numbers that 32 bits do not hold', () => {
    for (const length of [2 ** 32, -1, 0.5, Number.NaN]) {
      expect(() => packSums({ ...EXAMPLE, dedup: { length, crc32: 0 } }, HEAD)).toThrow(
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
    expect(storedProblem('st', blob, sum)).toBeUndefined()
    expect(plainProblem('st', plain, sum)).toBeUndefined()
    expect(storedProblem('dedup', plain, sumOfStored(plain))).toBeUndefined()
  })

  it('the length: torn and grown blobs', () => {
    expect(storedProblem('st', blob.subarray(1), sum)).toBe(`st: ${blob.length - 1} bytes, its sum says ${blob.length}`)
    expect(storedProblem('pr', Buffer.concat([blob, blob]), sum)).toMatch(/^pr: \d+ bytes, its sum says/)
  })

  it('the CRC: every single bit that is flipped, also those that zlib lets pass, and blobs of other bytes', () => {
    const numbers = Buffer.from(JSON.stringify(Array.from({ length: 100 }, (_, index) => index * 7919)))
    const stored = deflateBlob(numbers)
    const numbersSum = sumOfBlob(stored, numbers)
    let missedByZlib = 0
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const flipped = withBitFlipped(stored, bit)
      expect(storedProblem('st', flipped, numbersSum)).toBe('st: its CRC-32 does not agree')
      const inflated = inflatedOrUndefined(flipped)
      if (inflated === undefined || numbers.equals(inflated)) continue
      missedByZlib++
      expect(plainProblem('st', inflated, numbersSum)).toMatch(/^st: /)
    }
    // Why there is a CRC beside zlib's own Adler-32.
    expect(missedByZlib).toBeGreaterThan(0)
    const sameLength = stored.toReversed()
    expect(storedProblem('ft', sameLength, numbersSum)).toBe('ft: its CRC-32 does not agree')
  })

  it('plain length and CRC: other plain bytes, of another length and of the same', () => {
    expect(plainProblem('ft', plain.subarray(1), sum)).toBe(
      `ft: ${plain.length - 1} plain bytes, its sum says ${plain.length}`,
    )
    const other = Buffer.from(plain)
    other[5] = 0x32
    expect(plainProblem('ft', other, sum)).toBe('ft: the CRC-32 of its plain bytes does not agree')
  })

  it('and CRC and length of the plain bytes are the trailer that gzip wants', () => {
    const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(sum.plainCrc32, 0)
    trailer.writeUInt32LE(sum.plainLength, 4)
    expect(gunzipSync(Buffer.concat([header, blob.subarray(2, -4), trailer]))).toEqual(plain)
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
