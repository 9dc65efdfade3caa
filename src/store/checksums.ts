// The `sum` attribute: what each blob was when it was written, checked again whenever it is used or served. Length and CRC-32
// of the stored bytes find every torn, flipped or exchanged blob without inflating, so that serve hands them out undecoded. Those
// of the plain bytes are the trailer that gzip wants, and catch whatever goes wrong between deflating and inflating.
import { crc32 } from 'node:zlib'
import { PLAIN_BYTES_MAX } from './blob-codec.ts'
import { CorruptItemError, invalidItem } from './errors.ts'

export type BlobName = 'st' | 'ft' | 'pr'

/** Of bytes as they are stored. */
export interface StoredSum {
  readonly length: number
  readonly crc32: number
}

/** Of a compressed blob: of its stored bytes, and of what they inflate to. */
export interface BlobSum extends StoredSum {
  readonly plainLength: number
  readonly plainCrc32: number
}

export interface ItemSums {
  readonly st: BlobSum
  readonly ft: BlobSum
  readonly pr: BlobSum
  /** `dedup` is not compressed. */
  readonly dedup: StoredSum
}

/**
 * One version byte, then 15 big-endian unsigned 32-bit numbers: length, CRC, plain length and plain CRC of st, of ft and of pr;
 * length and CRC of dedup; CRC of everything before it, since a gzip trailer is made of these numbers alone. In Python:
 * `struct.unpack('>B15I', sum)`.
 */
export const SUM_VERSION = 1
const NUMBER_BYTES = 4
const NUMBERS = 15
export const SUM_BYTES = 1 + NUMBERS * NUMBER_BYTES
const OWN_CRC_OFFSET = SUM_BYTES - NUMBER_BYTES

export function sumOfStored(bytes: Uint8Array): StoredSum {
  return { length: bytes.length, crc32: crc32(bytes) }
}

export function sumOfBlob(blob: Uint8Array, plain: Uint8Array): BlobSum {
  return { ...sumOfStored(blob), plainLength: plain.length, plainCrc32: crc32(plain) }
}

export function packSums({ st, ft, pr, dedup }: ItemSums): Uint8Array {
  const packed = new Uint8Array(SUM_BYTES)
  const view = new DataView(packed.buffer)
  view.setUint8(0, SUM_VERSION)
  const ofBlobs = [st, ft, pr].flatMap(sum => [sum.length, sum.crc32, sum.plainLength, sum.plainCrc32])
  for (const [index, value] of [...ofBlobs, dedup.length, dedup.crc32].entries()) {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
      throw invalidItem(`sum: ${value} is not of 32 bits`)
    view.setUint32(1 + index * NUMBER_BYTES, value)
  }
  view.setUint32(OWN_CRC_OFFSET, crc32(packed.subarray(0, OWN_CRC_OFFSET)))
  return packed
}

/** Throws CorruptItemError. */
export function unpackSums(packed: Uint8Array): ItemSums {
  if (packed.length !== SUM_BYTES) throw new CorruptItemError(`sum: ${packed.length} bytes instead of ${SUM_BYTES}`)
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const version = view.getUint8(0)
  if (version !== SUM_VERSION) throw new CorruptItemError(`sum: version ${version}, this code reads ${SUM_VERSION}`)
  if (crc32(packed.subarray(0, OWN_CRC_OFFSET)) !== view.getUint32(OWN_CRC_OFFSET)) {
    throw new CorruptItemError('sum: its CRC-32 does not agree')
  }
  const at = (index: number): number => view.getUint32(1 + index * NUMBER_BYTES)
  const blob = (name: BlobName, first: number): BlobSum => {
    const plainLength = at(first + 2)
    if (plainLength > PLAIN_BYTES_MAX) throw new CorruptItemError(`sum: ${name} of ${plainLength} plain bytes`)
    return { length: at(first), crc32: at(first + 1), plainLength, plainCrc32: at(first + 3) }
  }
  return { st: blob('st', 0), ft: blob('ft', 4), pr: blob('pr', 8), dedup: { length: at(12), crc32: at(13) } }
}

/** Why the stored bytes cannot be those that were summed, found without inflating; undefined when they agree. */
export function storedProblem(name: keyof ItemSums, stored: Uint8Array, sum: StoredSum): string | undefined {
  if (stored.length !== sum.length) return `${name}: ${stored.length} bytes, its sum says ${sum.length}`
  return crc32(stored) === sum.crc32 ? undefined : `${name}: its CRC-32 does not agree`
}

/** Why inflated bytes are not those that were summed. */
export function plainProblem(name: BlobName, plain: Uint8Array, sum: BlobSum): string | undefined {
  if (plain.length !== sum.plainLength) return `${name}: ${plain.length} plain bytes, its sum says ${sum.plainLength}`
  return crc32(plain) === sum.plainCrc32 ? undefined : `${name}: the CRC-32 of its plain bytes does not agree`
}
