// The `sum` attribute: what each blob was when it was written, checked again whenever it is used or served. Length and CRC-32
// of the stored bytes find every torn, flipped or exchanged blob without inflating, so that serve hands them out undecoded. Those
// of the plain bytes are the trailer that gzip wants, and catch whatever goes wrong between deflating and inflating. What lies
// outside the blobs is summed too, and user and version into the last number: blobs of another user or another write are found.
import { crc32 } from 'node:zlib'
import { byCodePoint } from '../platform/canonical-json.ts'
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

/** What of an item lies outside its blobs. */
export interface ItemHead {
  readonly userId: string
  readonly v: number
  readonly at: number
  readonly asOf: number
  readonly fresh?: number | undefined
  readonly definitions: string
  readonly models: Readonly<Record<string, string>>
  readonly spills?: number | undefined
  /** In code point order. */
  readonly imports: readonly string[]
}

/**
 * The layout's version, then 16 big-endian unsigned 32-bit numbers: length, CRC, plain length and plain CRC of st, of ft and of
 * pr; length and CRC of dedup; CRC of the head, which is the JSON of [at, asOf, fresh or null, definitions, [[model, batch ID],
 * …] by model, imports]; and CRC of all bytes before it followed by the text `v userId`. In Python `struct.unpack('>B16I', sum)`,
 * and of the last `zlib.crc32(f'{v} {userId}'.encode(), zlib.crc32(sum[:-4]))`.
 *
 * Layout 3 is that of an item with spilled values: its head has `spills` behind the imports, so that one whose `spills` is lost
 * is not served as it is stored. Layout 2 may have spills as well, from before there was a layout 3.
 *
 * For ever, whatever a later layout adds: the first byte is its version, and the last four are that CRC. So code that is rolled
 * back tells an item that newer code wrote from a damaged one.
 */
const PLAIN_VERSION = 2
const SPILLS_VERSION = 3
export const SUM_VERSION_MAX = SPILLS_VERSION
const NUMBER_BYTES = 4
const NUMBERS = 16
export const SUM_BYTES = 1 + NUMBERS * NUMBER_BYTES
/** Of st, then of ft and of pr: length, CRC, plain length, plain CRC. */
const BLOB_NUMBERS = 4
const DEDUP_INDEX = 3 * BLOB_NUMBERS
const HEAD_CRC_INDEX = NUMBERS - 2

export function sumOfStored(bytes: Uint8Array): StoredSum {
  return { length: bytes.length, crc32: crc32(bytes) }
}

export function sumOfBlob(blob: Uint8Array, plain: Uint8Array): BlobSum {
  return { length: blob.length, crc32: crc32(blob), plainLength: plain.length, plainCrc32: crc32(plain) }
}

export function packSums({ st, ft, pr, dedup }: ItemSums, head: ItemHead): Uint8Array {
  const packed = Buffer.allocUnsafe(SUM_BYTES)
  packed[0] = head.spills === undefined ? PLAIN_VERSION : SPILLS_VERSION
  writeBlobSum(packed, 0, st)
  writeBlobSum(packed, BLOB_NUMBERS, ft)
  writeBlobSum(packed, 2 * BLOB_NUMBERS, pr)
  writeNumber(packed, DEDUP_INDEX, dedup.length)
  writeNumber(packed, DEDUP_INDEX + 1, dedup.crc32)
  writeNumber(packed, HEAD_CRC_INDEX, headCrc32(head, packed))
  writeNumber(packed, NUMBERS - 1, sealCrc32(packed, head))
  return packed
}

function writeBlobSum(packed: Uint8Array, index: number, sum: BlobSum): void {
  writeNumber(packed, index, sum.length)
  writeNumber(packed, index + 1, sum.crc32)
  writeNumber(packed, index + 2, sum.plainLength)
  writeNumber(packed, index + 3, sum.plainCrc32)
}

/** The numbers stand behind the version. Views of the bytes for them would cost several times as much. */
function writeNumber(packed: Uint8Array, index: number, value: number): void {
  if (value >>> 0 !== value) throw invalidItem(`sum: ${value} is not of 32 bits`)
  const offset = 1 + index * NUMBER_BYTES
  packed[offset] = value >>> 24
  packed[offset + 1] = value >>> 16
  packed[offset + 2] = value >>> 8
  packed[offset + 3] = value
}

function readNumber(packed: Uint8Array, index: number): number {
  return readUint32(packed, 1 + index * NUMBER_BYTES)
}

function readUint32(bytes: Uint8Array, offset: number): number {
  const byte = (index: number): number => bytes[offset + index] as number
  return ((byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3)) >>> 0
}

/** Of what lies outside the blobs; none of those is looked at. Throws CorruptItemError where it is not what was summed. */
export function checkHead(packed: Uint8Array, head: ItemHead): void {
  checkSeal(packed, head)
  if (readNumber(packed, HEAD_CRC_INDEX) === headCrc32(head, packed)) return
  throw new CorruptItemError('at, asOf, fresh, definitions, models, imports or spills: their CRC-32 does not agree')
}

/** What it sums, where only user and version are those that were written with it: what else is intact can still be told. */
export function unpackSealed(packed: Uint8Array, head: Pick<ItemHead, 'userId' | 'v'>): ItemSums {
  checkSeal(packed, head)
  return readSums(packed)
}

function checkSeal(packed: Uint8Array, head: Pick<ItemHead, 'userId' | 'v'>): void {
  const version = sealedLayout(packed, head)
  if (version === undefined) {
    if (packed.length !== SUM_BYTES) throw new CorruptItemError(`sum: ${packed.length} bytes instead of ${SUM_BYTES}`)
    throw new CorruptItemError('sum: its CRC-32 does not agree with it, the user and v')
  }
  if (version < PLAIN_VERSION || version > SUM_VERSION_MAX || packed.length !== SUM_BYTES) {
    throw new CorruptItemError(`sum: layout ${version}, this code reads ${PLAIN_VERSION} to ${SUM_VERSION_MAX}`)
  }
}

/** Of an item whose store has checked it against its head, as each does that hands items over: nothing is checked twice. */
export function readSums(packed: Uint8Array): ItemSums {
  return {
    st: readBlobSum(packed, 0, 'st'),
    ft: readBlobSum(packed, BLOB_NUMBERS, 'ft'),
    pr: readBlobSum(packed, 2 * BLOB_NUMBERS, 'pr'),
    dedup: { length: readNumber(packed, DEDUP_INDEX), crc32: readNumber(packed, DEDUP_INDEX + 1) },
  }
}

function readBlobSum(packed: Uint8Array, index: number, name: BlobName): BlobSum {
  const plainLength = readNumber(packed, index + 2)
  if (plainLength > PLAIN_BYTES_MAX) throw new CorruptItemError(`sum: ${name} of ${plainLength} plain bytes`)
  return {
    length: readNumber(packed, index),
    crc32: readNumber(packed, index + 1),
    plainLength,
    plainCrc32: readNumber(packed, index + 3),
  }
}

/** The version of the layout where user, version and sum are those of one write, be it of this layout or of a newer one. */
export function sealedLayout(packed: Uint8Array, head: Pick<ItemHead, 'userId' | 'v'>): number | undefined {
  if (packed.length <= NUMBER_BYTES) return undefined
  return readUint32(packed, packed.length - NUMBER_BYTES) === sealCrc32(packed, head) ? packed[0] : undefined
}

function sealCrc32(packed: Uint8Array, { userId, v }: Pick<ItemHead, 'userId' | 'v'>): number {
  return crc32(`${v} ${userId}`, crc32(packed.subarray(0, packed.length - NUMBER_BYTES)))
}

function headCrc32(head: ItemHead, packed: Uint8Array): number {
  const spills = packed[0] === SPILLS_VERSION ? `,${head.spills ?? 'null'}` : ''
  return crc32(`[${head.at},${head.asOf},${head.fresh ?? 'null'},${sharedJson(head)}${spills}]`)
}

type Shared = Pick<ItemHead, 'definitions' | 'models' | 'imports'>

/** Of the item before: a table's are made by the same code and models nearly all. */
let lastShared: (Shared & { readonly json: string }) | undefined

/** The array from definitions to imports. */
function sharedJson({ definitions, models, imports }: Shared): string {
  if (lastShared !== undefined && lastShared.definitions === definitions && isSame(lastShared, { models, imports })) {
    return lastShared.json
  }
  const batches = Object.entries(models)
  if (batches.length > 1) batches.sort(([a], [b]) => byCodePoint(a, b))
  const json = `${JSON.stringify(definitions)},${JSON.stringify(batches)},${JSON.stringify(imports)}`
  lastShared = { definitions, models: { ...models }, imports: [...imports], json }
  return json
}

function isSame(a: Omit<Shared, 'definitions'>, b: Omit<Shared, 'definitions'>): boolean {
  if (a.imports.length !== b.imports.length) return false
  for (let index = 0; index < a.imports.length; index++) if (a.imports[index] !== b.imports[index]) return false
  const names = Object.keys(b.models)
  return Object.keys(a.models).length === names.length && names.every(name => a.models[name] === b.models[name])
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
