// Writing a batch: parts, manifest, batch item, and last the log entry that makes it visible. Each is created if absent under
// names that nobody else has, so a crash anywhere leaves an orphan that no reader sees and no later run trips over.
import type { Json } from '../platform/canonical-json.ts'
import { mapPulled } from '../platform/concurrency.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { checkBatchId, newBatchId } from './batch-id.ts'
import { appendToLog, checkReason, type LogPorts } from './commit-log.ts'
import { CatalogError } from './errors.ts'
import { type BatchInput, type BatchRecord, type LogEntry, type TableSchema, toAttributes } from './items.ts'
import { batchLocation, batchSortKey, MANIFEST_NAME, partFileName } from './layout.ts'
import { decodeManifest, encodeManifest, type ManifestPart } from './manifest.ts'
import { checkPartition, type PartitionRef, tableKey } from './names.ts'
import { refuseOtherKeys } from './partition-name.ts'
import { refuseYanked } from './yank.ts'

export interface PartInput {
  /** `part-00017`; without it the part is called by its place. */
  readonly name?: string
  readonly body: Uint8Array
  readonly rows: number
}

export interface StoreInput {
  /** Pulled as they are uploaded, so that a large batch is never in memory as a whole. */
  readonly parts: Iterable<PartInput> | AsyncIterable<PartInput>
  readonly who: string
  readonly why: string
  readonly inputs?: readonly BatchInput[]
  /** Keys of objects outside the catalogue whose content is in the parts; the manifest names them. */
  readonly contains?: readonly string[]
  /** For the manifest; asked once all parts are stored, so that it may say what was counted on the way. */
  readonly properties?: () => Readonly<Record<string, Json>>
  /**
   * For who must know the batch's name beforehand; made from the clock otherwise. Never use one twice, but for the same parts: to end
   * what a writer that died has begun.
   */
  readonly batchId?: string
}

export interface StorePorts extends LogPorts {
  readonly objects: ObjectStore
}

/** Uploads in flight: a part is some MB, and memory is what this bounds. */
const UPLOADS_MAX = 4

/** The manifest names all; a DynamoDB item takes 400 KB, and what was made from years of hours has thousands. */
export const INPUTS_IN_ITEM_MAX = 1_000

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  parquet: 'application/vnd.apache.parquet',
  zip: 'application/zip',
  'ndjson.gz': 'application/gzip',
}

export async function storeBatch(
  ports: StorePorts,
  ref: PartitionRef,
  schema: TableSchema,
  { parts, ...input }: StoreInput,
): Promise<LogEntry> {
  checkReason(input)
  const createdAtMs = ports.clock()
  const batchId = checkBatchId(input.batchId ?? newBatchId(createdAtMs, ports.random))
  if (input.batchId !== undefined) await refuseYanked(ports.store, ref, batchId)
  const written = await writeParts(ports.objects, ref, schema, { batchId, parts })
  return commitParts(ports, ref, schema, { ...input, batchId, parts: written, createdAtMs })
}

export interface WriteInput {
  readonly batchId: string
  readonly parts: StoreInput['parts']
}

/** Stores parts of a batch that nobody sees until it is committed; several writers may each write some, under names of their own. */
export async function writeParts(
  objects: ObjectStore,
  ref: PartitionRef,
  schema: TableSchema,
  { batchId, parts }: WriteInput,
): Promise<readonly ManifestPart[]> {
  checkPartition(ref)
  refuseOtherKeys(ref, schema)
  return uploadParts(objects, batchLocation(ref, checkBatchId(batchId)), schema.format, parts)
}

export interface CommitInput extends Omit<StoreInput, 'parts' | 'batchId'> {
  readonly batchId: string
  /** As written before, in the order in which readers get them. */
  readonly parts: readonly ManifestPart[]
  /** When the batch was begun; now unless given. */
  readonly createdAtMs?: number
  /** Several may commit this batch, of the same parts, and it is in the log once. */
  readonly isOnce?: boolean
}

/** Manifest, batch item and log entry of parts that are there. */
export async function commitParts(
  ports: StorePorts,
  ref: PartitionRef,
  { format, columns }: TableSchema,
  input: CommitInput,
): Promise<LogEntry> {
  const table = tableKey(ref)
  const partition = checkPartition(ref)
  checkReason(input)
  const { batchId, parts, who, why, inputs = [], contains, createdAtMs = ports.clock() } = input
  const location = batchLocation(ref, batchId)
  const named = { table, partition, batchId, createdAtMs, who, why, format, columns }
  const manifestKey = `${location}${MANIFEST_NAME}`
  const manifest = await createManifest(
    ports.objects,
    manifestKey,
    encodeManifest({ ...named, inputs, contains, properties: input.properties?.(), parts }),
  )

  const record: BatchRecord = {
    batchId,
    location,
    format,
    parts: parts.length,
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    manifestKey,
    manifestSha256: sha256Hex(manifest),
    inputs: inputs.slice(0, INPUTS_IN_ITEM_MAX),
    state: 'hot',
    at: createdAtMs,
    who,
  }
  const item = { table, sk: batchSortKey(partition, batchId), attributes: toAttributes(record) }
  if ((await ports.store.create(item)) === 'exists') {
    const existing = await ports.store.get(table, item.sk)
    if (existing?.attributes['manifestSha256'] !== record.manifestSha256) throw batchExists(item.sk)
  }
  return appendToLog(ports, ref, { kind: 'commit', batchId, who, why }, { isOnce: input.isOnce })
}

async function uploadParts(
  objects: ObjectStore,
  location: string,
  format: string,
  parts: StoreInput['parts'],
): Promise<ManifestPart[]> {
  const names = new Set<string>()
  const contentType = CONTENT_TYPES[format] ?? 'application/octet-stream'
  return mapPulled(parts, UPLOADS_MAX, async ({ name: stem, body, rows }, index) => {
    const name = partFileName(stem, index, format)
    if (names.has(name)) throw new CatalogError(`The part ${name} came twice`, { code: 'part-name-invalid' })
    names.add(name)
    await createOwn(objects, `${location}${name}`, body, contentType)
    return { name, bytes: body.byteLength, rows, sha256: sha256Hex(body) }
  })
}

/** One that is there already, of the very same parts, is what a writer of this batch left behind: it is taken as it is. */
async function createManifest(objects: ObjectStore, key: string, manifest: Uint8Array): Promise<Uint8Array> {
  if ((await objects.create(key, manifest, { contentType: 'application/json' })) === 'created') return manifest
  const existing = await objects.get(key)
  if (existing === undefined || !isOfSameParts(existing, manifest, key)) throw batchExists(key)
  return existing
}

function isOfSameParts(existing: Uint8Array, manifest: Uint8Array, key: string): boolean {
  const [before, now] = [existing, manifest].map(bytes => JSON.stringify(decodeManifest(bytes, key).parts))
  return before === now
}

/** An object that exists already may be this very write, repeated by the client after a lost answer: the bytes tell. */
async function createOwn(objects: ObjectStore, key: string, body: Uint8Array, contentType: string): Promise<void> {
  if ((await objects.create(key, body, { contentType })) === 'created') return
  const existing = await objects.get(key)
  if (existing === undefined || !Buffer.from(existing).equals(body)) throw batchExists(key)
}

function batchExists(key: string): CatalogError {
  return new CatalogError(`${key} was written by somebody else`, {
    code: 'batch-exists',
    next: 'Store again without a batch ID of your own.',
  })
}
