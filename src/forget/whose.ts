// Whether something is of the user who is forgotten. A record is of whom its key or its event names; what no contract takes is of whoever
// is named anywhere in it. An event of somebody else that mentions the user is somebody else's, and is counted.
import { constants, gunzipSync, inflateSync } from 'node:zlib'
import type { Contracts } from '../event/compile-contracts.ts'
import { decodePayload, isRefusal } from '../event/decode.ts'
import { inflatePayload } from '../event/inflate.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import { userBucket } from '../platform/hash.ts'

export type Verdict =
  /** `ts` and `idHash` where a contract takes the event. */
  | { readonly of: 'own'; readonly ts?: number; readonly idHash?: string }
  | { readonly of: 'mention' }
  | { readonly of: 'other' }

export interface Whose {
  readonly userId: string
  readonly bucket: number
  record(record: Pick<StreamRecord, 'partitionKey' | 'dataBase64'>): Verdict
  payload(bytes: Uint8Array): Verdict
  /** Whether the user is named anywhere in a value as JSON has them. */
  isNamedIn(value: unknown): boolean
  /** Whether the user is named in text of whatever kind, as a word of its own. */
  isWordIn(text: string): boolean
}

const OTHER: Verdict = { of: 'other' }
const GZIP = 0x1f
const ZLIB = 0x78
const BACKSLASH = 0x5c
const INFLATED_BYTES_MAX = 16 * 1024 * 1024

export function whoseIs(userId: string, contracts: Contracts): Whose {
  const idBytes = Buffer.from(userId)
  const isNamedIn = namedIn(userId)
  const isWordIn = (text: string): boolean => hasWord(text, userId)
  const isWordInBytes = (bytes: Uint8Array): boolean =>
    hasWord(Buffer.from(bytes).toString('latin1'), idBytes.toString('latin1'))

  /** Most payloads are of others, and are not decoded: compressed ones are, and those with escapes. */
  const mayName = (bytes: Uint8Array): boolean =>
    bytes[0] === GZIP || bytes[0] === ZLIB || bytes.includes(BACKSLASH) || Buffer.from(bytes).includes(idBytes)

  function payload(bytes: Uint8Array): Verdict {
    if (!mayName(bytes)) return OTHER
    const event = decodePayload(bytes, contracts)
    if (!isRefusal(event) && event.userId === userId) return { of: 'own', ts: event.ts, idHash: event.idHash }
    const plain = plainOf(bytes)
    const json = parsed(plain)
    const isNamed = json === undefined ? isWordInBytes(plain) : isNamedIn(json)
    return isNamed ? { of: isRefusal(event) ? 'own' : 'mention' } : OTHER
  }

  return {
    userId,
    bucket: userBucket(userId),
    payload,
    isNamedIn,
    isWordIn,
    record({ partitionKey, dataBase64 }) {
      const verdict = payload(Buffer.from(dataBase64, 'base64'))
      return partitionKey === userId && verdict.of !== 'own' ? { of: 'own' } : verdict
    },
  }
}

/** As long as a whole number is written in digits. */
const DIGITS = /^-?\d{1,21}$/

function namedIn(userId: string): (value: unknown) => boolean {
  // pandas makes doubles of a column of ids that has gaps: 4711.0 is 4711.
  const number = DIGITS.test(userId) ? Number(userId) : Number.NaN
  const isNumber = (value: number): boolean =>
    value === number && !Object.is(value, -0) && String(BigInt(value)) === userId
  const isNamed = (value: unknown): boolean => {
    if (typeof value === 'string') return value === userId
    if (typeof value === 'number') return isNumber(value)
    if (typeof value === 'bigint') return String(value) === userId
    if (Array.isArray(value)) return value.some(isNamed)
    if (typeof value !== 'object' || value === null) return false
    return Object.entries(value).some(([name, member]) => name === userId || isNamed(member))
  }
  return isNamed
}

const WORD = /[\p{L}\p{N}_@.-]/u

/** `ana` is not in `banana`, nor in `ana@example.com`. */
function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const [before, after] = [text[at - 1], text[at + word.length]]
    if (!(before !== undefined && WORD.test(before)) && !(after !== undefined && WORD.test(after))) return true
  }
  return false
}

/** Of what is torn as much as there is. */
function plainOf(bytes: Uint8Array): Uint8Array {
  const inflated = inflatePayload(bytes)
  if (!('reason' in inflated)) return inflated
  const inflate = bytes[0] === GZIP ? gunzipSync : bytes[0] === ZLIB ? inflateSync : undefined
  try {
    return inflate?.(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: INFLATED_BYTES_MAX }) ?? bytes
  } catch {
    return bytes
  }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
