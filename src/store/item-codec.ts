// A user's parts to the item that is stored, and back. Lengths and checksums are written here, and those of the blobs are checked here (the
// store has checked the rest), so that torn or changed bytes are found before anything is folded into them, served, or written over
// them. Predictions and features stay packed until somebody asks: the write path needs state and dedup only.
import type { DedupState } from '../affected/dedup-state.ts'
import { byCodePoint } from '../platform/canonical-json.ts'
import { deflateBlob, inflateBlob } from './blob-codec.ts'
import {
  type BlobName,
  type BlobSum,
  packSums,
  plainProblem,
  readSums,
  storedProblem,
  sumOfBlob,
  sumOfStored,
} from './checksums.ts'
import { packDedup, unpackDedup } from './dedup-codec.ts'
import { CorruptItemError, invalidItem } from './errors.ts'
import type { StoredItem } from './user-item.ts'

/** An item before packing. The three bodies are plain JSON text of one object each. */
export interface ItemParts {
  readonly userId: string
  readonly v: number
  readonly at: number
  readonly asOf: number
  readonly fresh?: number | undefined
  readonly definitions: string
  readonly models: Readonly<Record<string, string>>
  /** Values of the predictions that are objects of their own; none unless given. */
  readonly spills?: number
  readonly imports: readonly string[]
  readonly dedup: DedupState
  readonly state: string
  readonly features: string
  readonly predictions: string
  /** Of the item that was read; none for a new one. */
  readonly other?: StoredItem['other']
}

/** Bytes: what is remembered of events is packed already. */
export type PackableParts = Omit<ItemParts, 'dedup'> & { readonly dedup: DedupState | Uint8Array }

export interface DecodedItem {
  readonly stored: StoredItem
  readonly dedup: DedupState
  /** The state entries by fingerprint, parsed; the caller's own to change. */
  readonly state: Record<string, unknown>
}

export interface StoredBlob {
  /** zlib JSON. */
  readonly blob: Uint8Array
  readonly sum: BlobSum
}

/** What cannot be read, and why: for a dead letter `item-corrupt`, or serve's error. */
export interface Unreadable {
  readonly reason: string
}

/** Throws StoreError `item-invalid` for parts that no caller may hand over, `item-too-big` for a body over PLAIN_BYTES_MAX. */
export function encodeItem(parts: PackableParts): StoredItem {
  checkParts(parts)
  const dedup = parts.dedup instanceof Uint8Array ? parts.dedup : packDedup(parts.dedup)
  const st = packBody(parts.state, 'state')
  const ft = packBody(parts.features, 'features')
  const pr = packBody(parts.predictions, 'predictions')
  const head = {
    userId: parts.userId,
    v: parts.v,
    at: parts.at,
    asOf: parts.asOf,
    ...(parts.fresh === undefined ? {} : { fresh: parts.fresh }),
    definitions: parts.definitions,
    models: parts.models,
    ...(parts.spills === undefined || parts.spills === 0 ? {} : { spills: parts.spills }),
    imports: [...new Set(parts.imports)].sort(byCodePoint),
  }
  return {
    ...head,
    dedup,
    st: st.blob,
    ft: ft.blob,
    pr: pr.blob,
    sum: packSums({ st: st.sum, ft: ft.sum, pr: pr.sum, dedup: sumOfStored(dedup) }, head),
    other: parts.other ?? {},
  }
}

/** What the write path needs. The stored bytes of all four are checked; inflated and parsed is the state only. */
export function decodeItem(stored: StoredItem): DecodedItem | Unreadable {
  return orReason(() => {
    const sums = readSums(stored.sum)
    for (const name of ['st', 'ft', 'pr', 'dedup'] as const) throwIf(storedProblem(name, stored[name], sums[name]))
    return { stored, dedup: unpackDedup(stored.dedup), state: parseObject('st', openBlob('st', stored.st, sums.st)) }
  })
}

/** One blob as it is stored, checked without inflating: what serve passes through, and what a gzip trailer is made of. */
export function readStored(stored: StoredItem, name: BlobName): StoredBlob | Unreadable {
  return orReason(() => checkedBlob(stored, name))
}

/** The plain JSON bytes of one blob, checked before and after inflating. */
export function readPlain(stored: StoredItem, name: BlobName): { readonly plain: Uint8Array } | Unreadable {
  return orReason(() => ({ plain: readChecked(stored, name) }))
}

/** One blob parsed: the object that was stringified when it was written. */
export function readBody(stored: StoredItem, name: BlobName): { readonly body: Record<string, unknown> } | Unreadable {
  return orReason(() => ({ body: parseObject(name, readChecked(stored, name)) }))
}

export function isUnreadable<T extends object>(result: T | Unreadable): result is Unreadable {
  return 'reason' in result
}

/** One blob by what its sum says, whatever the rest of the item is like. */
export function readBySum(
  name: BlobName,
  blob: Uint8Array,
  sum: BlobSum,
): { readonly body: Record<string, unknown> } | Unreadable {
  return orReason(() => {
    throwIf(storedProblem(name, blob, sum))
    return { body: parseObject(name, openBlob(name, blob, sum)) }
  })
}

function checkParts({ v, at, asOf, fresh }: PackableParts): void {
  if (!Number.isSafeInteger(v) || v < 1) throw invalidItem('v is not a whole number from 1 on')
  for (const [name, ms] of Object.entries({ at, asOf, fresh })) {
    if (ms !== undefined && !Number.isSafeInteger(ms)) throw invalidItem(`${name} is not a whole number of ms`)
  }
}

function packBody(text: string, what: string): StoredBlob {
  if (!text.startsWith('{') || !text.endsWith('}') || !text.isWellFormed())
    throw invalidItem(`${what} is not JSON of an object`)
  const plain = Buffer.from(text, 'utf8')
  const blob = deflateBlob(plain)
  return { blob, sum: sumOfBlob(blob, plain) }
}

function checkedBlob(stored: StoredItem, name: BlobName): StoredBlob {
  const blob = stored[name]
  const sum = readSums(stored.sum)[name]
  throwIf(storedProblem(name, blob, sum))
  return { blob, sum }
}

function readChecked(stored: StoredItem, name: BlobName): Uint8Array {
  const { blob, sum } = checkedBlob(stored, name)
  return openBlob(name, blob, sum)
}

/** For stored bytes that were checked. */
function openBlob(name: BlobName, blob: Uint8Array, sum: BlobSum): Uint8Array {
  const plain = inflateBlob(name, blob, sum.plainLength)
  throwIf(plainProblem(name, plain, sum))
  return plain
}

function parseObject(name: BlobName, plain: Uint8Array): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength).toString('utf8'))
  } catch (error) {
    throw new CorruptItemError(`${name}: not JSON`, { cause: error })
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new CorruptItemError(`${name}: not an object`)
  }
  return parsed as Record<string, unknown>
}

function throwIf(problem: string | undefined): void {
  if (problem !== undefined) throw new CorruptItemError(problem)
}

function orReason<T>(read: () => T): T | Unreadable {
  try {
    return read()
  } catch (error) {
    if (error instanceof CorruptItemError) return { reason: error.reason }
    throw error
  }
}
