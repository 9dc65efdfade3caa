// Holds a batch against its papers: the batch item against the manifest, the manifest against every byte. A reader stops at the first thing
// that differs; here all of them are listed. Nothing is written.
import { mapAhead } from '../platform/concurrency.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { CatalogStore } from './catalog-store.ts'
import { existingBatch } from './change-batch.ts'
import { CatalogError } from './errors.ts'
import type { BatchRecord } from './items.ts'
import { MANIFEST_NAME } from './layout.ts'
import { decodeManifest, type Manifest, type ManifestPart } from './manifest.ts'
import { type PartitionRef, tableKey } from './names.ts'
import { objectsOf } from './purge-batches.ts'
import { ROW_FORMATS, rowFormat } from './row-formats.ts'
import { countTextRows } from './text-part.ts'

export interface VerifyPorts {
  readonly store: CatalogStore
  readonly objects: ObjectStore
  /** Reads every row as well, where a part has rows: bytes and hash are of what was written, which may not be readable. */
  readonly isReadingRows?: boolean | undefined
}

export interface Difference {
  /** `manifest.json`, the name of a part, or `item` for the batch item. */
  readonly of: string
  readonly what: 'gone' | 'bytes' | 'sha256' | 'rows' | 'unreadable' | 'parts' | 'table' | 'batchId' | 'format'
  readonly expected: string | number
  readonly found: string | number | null
}

export interface VerifiedBatch {
  readonly partition: string
  readonly batchId: string
  /** `purged`: there is nothing to hold against anything. */
  readonly state: BatchRecord['state']
  /** `bytes`: that every part has the bytes and the hash that it was committed with, which may still be nothing that a reader understands. */
  readonly looked: 'bytes' | 'rows'
  /** As read. */
  readonly parts: number
  readonly rows: number
  readonly bytes: number
  readonly differences: readonly Difference[]
  /** Objects that the manifest does not name, as a writer that was repeated may leave: no reader sees them. */
  readonly unnamed: readonly string[]
}

/** A part is some MB. */
const PARTS_AHEAD = 2

/** Throws CatalogError `batch-not-found`, ObjectStoreError where the store does not answer. */
export async function verifyBatch(ports: VerifyPorts, ref: PartitionRef, batchId: string): Promise<VerifiedBatch> {
  const record = await existingBatch(ports.store, ref, batchId)
  const about = { partition: ref.partition, batchId, state: record.state, looked: lookedAt(ports) }
  const nothing = { ...about, parts: 0, rows: 0, bytes: 0, differences: [], unnamed: [] }
  if (record.state !== 'hot') return nothing
  const { manifest, differences } = await readManifest(ports.objects, record)
  if (manifest === undefined)
    return (await isPurgedNow(ports, ref, batchId)) ? { ...nothing, state: 'purged' } : { ...nothing, differences }
  const totals = { parts: 0, rows: 0, bytes: 0 }
  const all = [...differences, ...itemDifferences(ref, record, manifest)]
  const check = (part: ManifestPart) => checkPart(ports, { record, manifest, part })
  for await (const { differences: own, rows, bytes } of mapAhead(manifest.parts, PARTS_AHEAD, check)) {
    totals.parts++
    totals.rows += rows
    totals.bytes += bytes
    all.push(...own)
  }
  if (all.length > 0 && (await isPurgedNow(ports, ref, batchId))) return { ...nothing, state: 'purged' }
  return { ...about, ...totals, differences: all, unnamed: await unnamedObjects(ports.objects, record, manifest) }
}

function lookedAt({ isReadingRows = false }: VerifyPorts): VerifiedBatch['looked'] {
  return isReadingRows ? 'rows' : 'bytes'
}

/** What is gone may have been purged since the verification began. */
async function isPurgedNow({ store }: VerifyPorts, ref: PartitionRef, batchId: string): Promise<boolean> {
  return (await existingBatch(store, ref, batchId)).state === 'purged'
}

async function readManifest(
  objects: ObjectStore,
  { manifestKey, manifestSha256 }: BatchRecord,
): Promise<{ readonly manifest: Manifest | undefined; readonly differences: readonly Difference[] }> {
  const of = MANIFEST_NAME
  const bytes = await objects.get(manifestKey)
  if (bytes === undefined) return { manifest: undefined, differences: [gone(of, manifestSha256)] }
  const found = sha256Hex(bytes)
  const differences: Difference[] =
    found === manifestSha256 ? [] : [{ of, what: 'sha256', expected: manifestSha256, found }]
  try {
    return { manifest: decodeManifest(bytes, manifestKey), differences }
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error
    const unreadable: Difference = { of, what: 'unreadable', expected: 'a manifest', found: error.message }
    return { manifest: undefined, differences: [...differences, unreadable] }
  }
}

/** A promoted batch has the manifest of the partition that it was stored in. */
function itemDifferences(ref: PartitionRef, record: BatchRecord, manifest: Manifest): Difference[] {
  const sum = (of: (part: ManifestPart) => number): number => manifest.parts.reduce((all, part) => all + of(part), 0)
  const pairs = [
    ['table', tableKey(ref), manifest.table],
    ['batchId', record.batchId, manifest.batchId],
    ['format', record.format, manifest.format],
    ['parts', record.parts, manifest.parts.length],
    ['rows', record.rows, sum(part => part.rows)],
    ['bytes', record.bytes, sum(part => part.bytes)],
  ] as const
  return pairs.flatMap(([what, found, expected]) => (found === expected ? [] : [{ of: 'item', what, expected, found }]))
}

interface PartOf {
  readonly record: BatchRecord
  readonly manifest: Manifest
  readonly part: ManifestPart
}

async function checkPart(
  { objects, isReadingRows = false }: VerifyPorts,
  { record, manifest, part }: PartOf,
): Promise<{ readonly differences: readonly Difference[]; readonly rows: number; readonly bytes: number }> {
  const of = part.name
  const body = await objects.get(`${record.location}${of}`)
  if (body === undefined) return { differences: [gone(of, part.sha256)], rows: 0, bytes: 0 }
  const bytes = body.byteLength
  const sha256 = sha256Hex(body)
  const differences: Difference[] = []
  if (bytes !== part.bytes) differences.push({ of, what: 'bytes', expected: part.bytes, found: bytes })
  if (sha256 !== part.sha256) differences.push({ of, what: 'sha256', expected: part.sha256, found: sha256 })
  if (!isReadingRows || !hasRows(manifest)) return { differences, rows: part.rows, bytes }
  try {
    const rows = await countRows(body, manifest)
    if (rows !== part.rows) differences.push({ of, what: 'rows', expected: part.rows, found: rows })
    return { differences, rows, bytes }
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    return { differences: [...differences, { of, what: 'unreadable', expected: part.rows, found }], rows: 0, bytes }
  }
}

/** A model's part, or a list of what was removed, is one file that means what its readers make of it. */
function hasRows({ format, columns }: Manifest): boolean {
  return columns.length > 0 && ROW_FORMATS.some(name => name === format)
}

/** Text a row at a time: nobody has looked at what it unpacks into. */
async function countRows(body: Uint8Array, { table, format, columns }: Manifest): Promise<number> {
  if (format === 'ndjson.gz' || format === 'csv.gz') return countTextRows({ format, columns, body })
  let rows = 0
  for await (const some of rowFormat(table, { format, columns }).read(columns, body)) rows += some.length
  return rows
}

async function unnamedObjects(objects: ObjectStore, { location }: BatchRecord, { parts }: Manifest): Promise<string[]> {
  const named = new Set([MANIFEST_NAME, ...parts.map(({ name }) => name)])
  const own = await objectsOf(objects, location)
  return own.map(({ key }) => key.slice(location.length)).filter(name => !named.has(name))
}

function gone(of: string, expected: string): Difference {
  return { of, what: 'gone', expected, found: null }
}
