// Objects of lines about records: each that has a line of the user gets a successor without it, under a name that readers take, and then goes
// with all its versions. Whoever is stopped in between leaves both, and readers drop repeats. A raw object keeps its first and last sequence,
// as the position of the archive is read off the names: where they are the user's, their place in the stream is all that stays.
import { gunzipSync } from 'node:zlib'
import { LINE_FILE_OPTIONS, packLines } from '../archive/line-file.ts'
import {
  asideObjectKey,
  type NamedObject,
  type ObjectKind,
  parseObjectName,
  sequenceRange,
} from '../archive/object-name.ts'
import { forgottenLine, type RecordLine } from '../archive/raw-object.ts'
import { mapPulled } from '../platform/concurrency.ts'
import { MillraceError } from '../platform/errors.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { ObjectInfo } from '../platform/object-store.ts'
import type { Pass } from './ports.ts'
import { addTo } from './tally.ts'

const OBJECTS_IN_FLIGHT_MAX = 8
const PLAIN_BYTES_MAX = 64 * 1024 * 1024

export const LINE_KINDS = ['raw', 'deadletters', 'doubt', 'closed', 'cleared'] as const satisfies readonly ObjectKind[]

/** Throws ObjectStoreError, and what `stillAlone` throws; an object that cannot be read is left and named. */
export async function forgetLines(pass: Pass, kind: ObjectKind): Promise<void> {
  const { archive } = pass.ports
  await mapPulled(archive.list(`${kind}/`), OBJECTS_IN_FLIGHT_MAX, info => forgetObject(pass, kind, info))
}

interface AnyLine extends Partial<RecordLine> {
  readonly userId?: string
  readonly ts?: number
}

interface ReadObject {
  readonly named: NamedObject
  readonly texts: readonly string[]
  readonly lines: readonly AnyLine[]
}

async function forgetObject(pass: Pass, kind: ObjectKind, info: ObjectInfo): Promise<void> {
  const counts = pass.tally.places[kind]
  counts.looked++
  const body = await pass.ports.archive.get(info.key)
  // Somebody else's removal, or an earlier lane's.
  if (body === undefined) return
  const object = readObject(info, body)
  if (object === undefined) {
    pass.tally.left.push({ where: info.key, why: 'it is not what its name says, so that nobody can tell whose it is' })
    return
  }
  const isGone = object.lines.map(line => isForgotten(pass, line))
  const rows = isGone.filter(Boolean).length
  if (rows === 0) return
  addTo(counts, { found: 1, rows, bytesRemoved: body.byteLength })
  const successor = successorOf(kind, object, isGone)
  const packed = successor && packLines(successor.plain)
  addTo(counts, { bytesRewritten: packed?.byteLength ?? 0 })
  if (pass.isDryRun) return
  if (successor !== undefined && packed !== undefined) {
    await pass.ports.archive.create(successor.key, packed, LINE_FILE_OPTIONS)
  }
  await pass.ports.stillAlone()
  await pass.ports.archiveEnder.end(info.key)
}

function readObject(info: ObjectInfo, body: Uint8Array): ReadObject | undefined {
  try {
    const texts = gunzipSync(body, { maxOutputLength: PLAIN_BYTES_MAX }).toString('utf8').split('\n')
    if (texts.pop() !== '') return undefined
    const lines: readonly unknown[] = texts.map(text => JSON.parse(text) as unknown)
    return lines.every(isLine) ? { named: parseObjectName(info), texts, lines } : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof MillraceError || isZlib(error)) return undefined
    throw error
  }
}

function isLine(line: unknown): line is AnyLine {
  if (typeof line !== 'object' || line === null || Array.isArray(line)) return false
  const { data, partitionKey }: Partial<Record<keyof AnyLine, unknown>> = line
  return [data, partitionKey].every(member => member === undefined || typeof member === 'string')
}

function isZlib(error: unknown): boolean {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^(Z_|ERR_)/.test(code)
}

/** What names a record and not its user says nothing of anybody. */
function isForgotten({ whose, untilMs, tally }: Pass, line: AnyLine): boolean {
  const { partitionKey, data, arrivalMs, userId, ts } = line
  if (data === undefined) return userId === whose.userId && (ts ?? 0) <= untilMs
  const verdict = whose.record({ partitionKey: partitionKey ?? '', dataBase64: data })
  if (verdict.of === 'mention') tally.mentions++
  if (verdict.of !== 'own') return false
  if ((arrivalMs ?? 0) <= untilMs) return true
  tally.newLife++
  if (verdict.idHash !== undefined) tally.newLifeIds.add(verdict.idHash)
  return false
}

interface Successor {
  readonly key: string
  readonly plain: string
}

const HASH_DIGITS = 16
const RAW_SUFFIX = /(?:-[0-9a-f]{16})?\.ndjson\.gz$/

/** Undefined: nothing is left that anybody needs. */
function successorOf(kind: ObjectKind, object: ReadObject, isGone: readonly boolean[]): Successor | undefined {
  const { named, texts, lines } = object
  if (kind === 'raw') {
    const ends = new Set([0, lines.length - 1])
    const kept = texts.flatMap((text, index) =>
      isGone[index] !== true ? [text] : ends.has(index) ? [placeOf(lines[index] ?? {})] : [],
    )
    const plain = kept.map(text => `${text}\n`).join('')
    const hash = sha256Hex(plain).slice(0, HASH_DIGITS)
    return { key: named.key.replace(RAW_SUFFIX, `-${hash}.ndjson.gz`), plain }
  }
  const kept = lines.flatMap((line, index) => (isGone[index] === true ? [] : [{ line, text: texts[index] ?? '' }]))
  const [first, last] = [kept[0], kept.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const range = sequenceRange(first.line.sequence ?? '', last.line.sequence ?? '')
  const plain = kept.map(({ text }) => `${text}\n`).join('')
  return { key: asideObjectKey(kind, named, { range, plain }), plain }
}

function placeOf({ stream = '', shard = '', sequence = '', arrivalMs = 0 }: AnyLine): string {
  return JSON.stringify(forgottenLine({ stream, shard, sequence, arrivalMs }))
}

/** By the name that it had at first: what raw objects are called since something of them was forgotten. */
export async function rawSuccessors({ ports }: Pass): Promise<ReadonlyMap<string, readonly string[]>> {
  const successors = new Map<string, string[]>()
  for await (const { key } of ports.archive.list('raw/')) {
    const first = key.replace(RAW_SUFFIX, '.ndjson.gz')
    if (first !== key) successors.set(first, [...(successors.get(first) ?? []), key])
  }
  return successors
}
