// DedupState to bytes and back. Ids are 8 raw bytes after a delta of time, so one costs about 12 bytes; not compressed, since
// hashes do not compress. One state has one packing, and the reader refuses every other.
import { compareRecentIds, type DedupState, type Mark, type RecentId, type TypeDedup } from '../affected/dedup-state.ts'
import { byCodePoint } from '../platform/canonical-json.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { invalidItem } from './errors.ts'

/*
 * Layout, version 1 (varint: 7 bits a byte, lowest first; text: varint length, UTF-8):
 *   version 1
 *   settled    varint: 0 none, else instant + 1
 *   types      varint count, names ascending by code point, each
 *                name text; 0, or 1 and the floor: ts varint, id 8 bytes;
 *                varint count of ids ascending by (ts, id), all above the floor: ts − the ts before it (floor, or 0) varint, id
 *   marks      varint count, keys ascending by code point, each
 *                key text; arrival varint; number of bytes and the sequence, big-endian without leading zeros
 */
export const DEDUP_VERSION = 1
const ID_BYTES = 8
/** A pipeline of more event types than this would not fit its definition into an item either. */
export const TYPES_MAX = 256
/** An event type is at most 64 characters (event contract). */
export const TYPE_NAME_BYTES_MAX = 64
/** 48 KB of ids: more for one type would leave no room under ITEM_BYTES_MAX. */
export const IDS_PER_TYPE_MAX = 4096
/** The decision prunes to 16 marks; room to raise that without making new bytes unreadable to code that is rolled back. */
export const MARKS_MAX = 64
/** Stream name (128), '@' and its epoch, '/' and shard id (128): limits of the Amazon Kinesis API reference, rounded up. */
export const MARK_KEY_BYTES_MAX = 288
/** A sequence number has 56 digits in practice (measured) and 128 at most (Amazon Kinesis API reference). */
export const SEQUENCE_DIGITS_MAX = 128
const SEQUENCE_BYTES_MAX = 54

export function packDedup(state: DedupState): Uint8Array {
  const out = new ByteWriter()
  out.byte(DEDUP_VERSION)
  out.varint(state.settledMs === undefined ? 0 : state.settledMs + 1, 'settled')
  writeCount(out, state.types.size, TYPES_MAX, 'types')
  for (const [name, type] of sortedEntries(state.types)) {
    out.text(name, TYPE_NAME_BYTES_MAX, 'a type name')
    writeType(out, type)
  }
  writeCount(out, state.marks.size, MARKS_MAX, 'marks')
  for (const [key, { sequence, arrivalMs }] of sortedEntries(state.marks)) {
    out.text(key, MARK_KEY_BYTES_MAX, 'a mark key')
    out.varint(arrivalMs, 'the arrival of a mark')
    const hex = sequenceHex(sequence)
    out.byte(hex.length / 2)
    out.hex(hex, 'a mark')
  }
  return out.finish()
}

/** Throws CorruptItemError, and nothing else, whatever the bytes. */
export function unpackDedup(packed: Uint8Array): DedupState {
  const input = new ByteReader(packed, 'dedup')
  const version = input.byte('the version')
  if (version !== DEDUP_VERSION) throw input.corrupt(`version ${version}, this code reads ${DEDUP_VERSION}`)
  const settled = input.varint('settled')
  const types = readMap(input, TYPES_MAX, 'types', TYPE_NAME_BYTES_MAX, readType)
  const marks = readMap(input, MARKS_MAX, 'marks', MARK_KEY_BYTES_MAX, readMark)
  input.end()
  return { types, marks, settledMs: settled === 0 ? undefined : settled - 1 }
}

function writeType(out: ByteWriter, { ids, floor }: TypeDedup): void {
  out.byte(floor === undefined ? 0 : 1)
  if (floor !== undefined) writeId(out, floor, 0)
  writeCount(out, ids.length, IDS_PER_TYPE_MAX, 'ids')
  let previous = floor
  for (const id of ids) {
    if (previous !== undefined && compareRecentIds(previous, id) >= 0)
      throw invalidItem('ids are not ascending above the floor')
    writeId(out, id, previous?.ts ?? 0)
    previous = id
  }
}

const ID_DIGITS = 2 * ID_BYTES

function writeId(out: ByteWriter, { ts, idHash }: RecentId, base: number): void {
  if (idHash.length !== ID_DIGITS) throw invalidItem('an id hash is not 16 hex digits')
  if (!Number.isSafeInteger(ts)) throw invalidItem('the time of an id is not a whole number')
  out.varint(ts - base, 'the time of an id')
  out.hex(idHash, 'an id hash')
}

function readType(input: ByteReader): TypeDedup {
  const floorFlag = input.varint('the floor', 1)
  const floor = floorFlag === 1 ? readId(input, 0) : undefined
  // Each id takes 9 bytes at least: a count beyond the bytes at hand is refused before anything is allocated for it.
  const count = input.varint(
    'the number of ids',
    Math.min(IDS_PER_TYPE_MAX, Math.floor(input.remaining / (1 + ID_BYTES))),
  )
  const ids: RecentId[] = []
  let previous = floor
  for (let index = 0; index < count; index++) {
    const id = readId(input, previous?.ts ?? 0)
    if (previous !== undefined && compareRecentIds(previous, id) >= 0)
      throw input.corrupt('ids are not ascending above the floor')
    ids.push(id)
    previous = id
  }
  return { ids, floor }
}

function readId(input: ByteReader, base: number): RecentId {
  const ts = base + input.varint('the time of an id')
  if (!Number.isSafeInteger(ts)) throw input.corrupt('the time of an id is over 2^53 - 1')
  return { ts, idHash: input.hex(ID_BYTES, 'an id') }
}

function sequenceHex(sequence: string): string {
  if (!/^(0|[1-9]\d*)$/.test(sequence) || sequence.length > SEQUENCE_DIGITS_MAX) {
    throw invalidItem(`a mark is not a decimal number of at most ${SEQUENCE_DIGITS_MAX} digits`)
  }
  if (sequence === '0') return ''
  const hex = BigInt(sequence).toString(16)
  return hex.length % 2 === 0 ? hex : `0${hex}`
}

function readMark(input: ByteReader): Mark {
  const arrivalMs = input.varint('the arrival of a mark')
  return { sequence: readSequence(input), arrivalMs }
}

function readSequence(input: ByteReader): string {
  const length = input.byte('the length of a mark')
  if (length > SEQUENCE_BYTES_MAX) throw input.corrupt(`a mark of ${length} bytes`)
  const hex = input.hex(length, 'a mark')
  if (hex.startsWith('00')) throw input.corrupt('a mark with leading zeros')
  const sequence = length === 0 ? '0' : BigInt(`0x${hex}`).toString()
  if (sequence.length > SEQUENCE_DIGITS_MAX) throw input.corrupt(`a mark of more than ${SEQUENCE_DIGITS_MAX} digits`)
  return sequence
}

function readMap<T>(
  input: ByteReader,
  countMax: number,
  what: string,
  keyBytesMax: number,
  readValue: (input: ByteReader) => T,
): Map<string, T> {
  const map = new Map<string, T>()
  let previous: string | undefined
  for (let left = input.varint(`the number of ${what}`, countMax); left > 0; left--) {
    const key = input.text(keyBytesMax, `a key of ${what}`)
    if (previous !== undefined && byCodePoint(previous, key) >= 0) throw input.corrupt(`${what} are not in order`)
    map.set(key, readValue(input))
    previous = key
  }
  return map
}

function writeCount(out: ByteWriter, count: number, max: number, what: string): void {
  if (count > max) throw invalidItem(`${count} ${what}, at most ${max} are kept`)
  out.varint(count, `the number of ${what}`)
}

function sortedEntries<T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] {
  return map.size < 2 ? [...map] : [...map].sort(([left], [right]) => byCodePoint(left, right))
}
