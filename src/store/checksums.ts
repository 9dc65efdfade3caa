// The `sum` attribute: what each blob was when it was written, checked again whenever it is used or served. The stored length
// finds torn or grown bytes without inflating; plain length and CRC-32 find what only shows afterwards: a blob of another item,
// and flipped bits that pass zlib's own Adler-32 (some single ones do: see the test). They are also what a gzip trailer consists
// of, so that serve re-wraps zlib as gzip without decoding.
import { crc32 } from 'node:zlib'
import { PLAIN_BYTES_MAX } from './blob-codec.ts'
import { CorruptItemError, invalidItem } from './errors.ts'

export type BlobName = 'st' | 'ft' | 'pr'

/** Of a compressed blob. The CRC is of the plain bytes. */
export interface BlobSum {
  readonly length: number
  readonly plainLength: number
  readonly crc32: number
}

/** Of `dedup`, which is stored as it is. */
export interface PlainSum {
  readonly length: number
  readonly crc32: number
}

export interface ItemSums {
  readonly st: BlobSum
  readonly ft: BlobSum
  readonly pr: BlobSum
  readonly dedup: PlainSum
}

/**
 * One version byte, then 11 big-endian unsigned 32-bit numbers: length, plain length and CRC of st, of ft and of pr; length and
 * CRC of dedup. In Python: `struct.unpack('>B11I', sum)`.
 */
export const SUM_VERSION = 1
const NUMBER_BYTES = 4
export const SUM_BYTES = 1 + 11 * NUMBER_BYTES

export function sumOfBlob(blob: Uint8Array, plain: Uint8Array): BlobSum {
  return { length: blob.length, plainLength: plain.length, crc32: crc32(plain) }
}

export function sumOfPlain(bytes: Uint8Array): PlainSum {
  return { length: bytes.length, crc32: crc32(bytes) }
}

export function packSums({ st, ft, pr, dedup }: ItemSums): Uint8Array {
  const packed = new Uint8Array(SUM_BYTES)
  const view = new DataView(packed.buffer)
  view.setUint8(0, SUM_VERSION)
  const numbers = [st, ft, pr].flatMap(sum => [sum.length, sum.plainLength, sum.crc32])
  for (const [index, value] of [...numbers, dedup.length, dedup.crc32].entries()) {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
      throw invalidItem(`sum: ${value} is not of 32 bits`)
    view.setUint32(1 + index * NUMBER_BYTES, value)
  }
  return packed
}

/** Throws CorruptItemError. */
export function unpackSums(packed: Uint8Array): ItemSums {
  if (packed.length !== SUM_BYTES) throw new CorruptItemError(`sum: ${packed.length} bytes instead of ${SUM_BYTES}`)
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const version = view.getUint8(0)
  if (version !== SUM_VERSION) throw new CorruptItemError(`sum: version ${version}, this code reads ${SUM_VERSION}`)
  const at = (index: number): number => view.getUint32(1 + index * NUMBER_BYTES)
  const blob = (name: BlobName, first: number): BlobSum => {
    const sum = { length: at(first), plainLength: at(first + 1), crc32: at(first + 2) }
    if (sum.plainLength > PLAIN_BYTES_MAX) throw new CorruptItemError(`sum: ${name} of ${sum.plainLength} plain bytes`)
    return sum
  }
  return { st: blob('st', 0), ft: blob('ft', 3), pr: blob('pr', 6), dedup: { length: at(9), crc32: at(10) } }
}

/** Why the stored bytes cannot be those that were summed, found without inflating; undefined when the length agrees. */
export function lengthProblem(
  name: keyof ItemSums,
  stored: Uint8Array,
  sum: { readonly length: number },
): string | undefined {
  return stored.length === sum.length ? undefined : `${name}: ${stored.length} bytes, its sum says ${sum.length}`
}

/** Why inflated bytes are not those that were summed. */
export function plainProblem(name: BlobName, plain: Uint8Array, sum: BlobSum): string | undefined {
  if (plain.length !== sum.plainLength) return `${name}: ${plain.length} plain bytes, its sum says ${sum.plainLength}`
  return crc32(plain) === sum.crc32 ? undefined : `${name}: its CRC-32 does not agree`
}

/** Why `dedup` is not what was summed. */
export function dedupProblem(dedup: Uint8Array, sum: PlainSum): string | undefined {
  return (
    lengthProblem('dedup', dedup, sum) ?? (crc32(dedup) === sum.crc32 ? undefined : 'dedup: its CRC-32 does not agree')
  )
}
