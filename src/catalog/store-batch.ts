// Writing a batch: parts, manifest, batch item, and last the log entry that makes it visible. Each is created if absent under
// names that nobody else has, so a crash anywhere leaves an orphan that no reader sees and no later run trips over.
import type { Json } from '../platform/canonical-json.ts'
import { mapPulled } from '../platform/concurrency.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { CreateOptions, ObjectStore } from '../platform/object-store.ts'
import { checkBatchId, newBatchId } from './batch-id.ts'
import { changeBatch, HOLD_MS, refusePurged } from './change-batch.ts'
import { checkParts, checkRows, partMetadata, type PartsPlace, refuseOtherObjects } from './check-parts.ts'
import { appendToLog, checkReason, type LogPorts } from './commit-log.ts'
import { CatalogError } from './errors.ts'
import { asKeyReused, type BegunBatch, claimBatches } from './idempotency-key.ts'
import {
  type BatchInput,
  type BatchRecord,
  type LogEntry,
  readBatchRecord,
  type TableSchema,
  toAttributes,
} from './items.ts'
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
  /**
   * The same key in the same partition gives the same batch, however often and by how many it is stored: the log entry that there is, with
   * nothing written and no part pulled, or the end of what a writer that died has begun. Whoever then gives other bytes is refused.
   */
  readonly idempotencyKey?: string
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
  input: StoreInput,
): Promise<LogEntry> {
  const { who, why, idempotencyKey, batchId } = input
  checkStore(ref, schema, input)
  const [claimed] =
    idempotencyKey === undefined
      ? []
      : await claimBatches(ports, [{ ref, batchId }], { idempotencyKey, who, isTogether: false })
  if (claimed?.committed !== undefined) return claimed.committed
  const begun = claimed ?? newBatch(ports, batchId)
  await writeBatch(ports, ref, schema, { ...input, begun })
  return appendToLog(ports, ref, { kind: 'commit', batchId: begun.batchId, who, why }, { after: begun.after })
}

/** What is wrong with it before anything is written. Throws CatalogError. */
export function checkStore(
  ref: PartitionRef,
  schema: TableSchema,
  { who, why, batchId }: Pick<StoreInput, 'who' | 'why' | 'batchId'>,
): void {
  checkReason({ who, why })
  checkPartition(ref)
  refuseOtherKeys(ref, schema)
  if (batchId !== undefined) checkBatchId(batchId)
}

/** One that no key stands for; who gives its name may have begun it before. */
export function newBatch({ clock, random }: StorePorts, batchId: string | undefined): BegunBatch {
  const createdAtMs = clock()
  return { batchId: batchId ?? newBatchId(createdAtMs, random), createdAtMs, mayBeBegun: batchId !== undefined }
}

/** Everything of a batch but the log entry. */
export async function writeBatch(
  ports: StorePorts,
  ref: PartitionRef,
  schema: TableSchema,
  { parts, begun, ...input }: StoreInput & { readonly begun: BegunBatch },
): Promise<void> {
  const { batchId, createdAtMs, mayBeBegun, after } = begun
  try {
    const place = placeOf(ref, schema, batchId)
    if (mayBeBegun) await refuseGone(ports, ref, batchId)
    const written = mayBeBegun
      ? await endParts(ports.objects, place, parts)
      : await uploadParts(ports.objects, place, { parts, atOnce: UPLOADS_MAX })
    await prepareBatch(ports, ref, schema, { ...input, batchId, parts: written, createdAtMs })
  } catch (error) {
    throw after === undefined ? error : asKeyReused(error, ref, batchId)
  }
}

/** Throws CatalogError `batch-yanked`, and `batch-purged` of what a sweep has taken away since. */
async function refuseGone({ store }: StorePorts, ref: PartitionRef, batchId: string): Promise<void> {
  await refuseYanked(store, ref, batchId)
  const item = await store.get(tableKey(ref), batchSortKey(ref.partition, batchId))
  if (item !== undefined) refusePurged(ref, readBatchRecord(item))
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
  return uploadParts(objects, placeOf(ref, schema, checkBatchId(batchId)), { parts, atOnce: UPLOADS_MAX })
}

/**
 * Of a batch that somebody may have begun: one part after another, so that the first that is another one stops it with nothing of it
 * written; whoever has the right ones can then still end it.
 */
async function endParts(objects: ObjectStore, place: PartsPlace, parts: StoreInput['parts']): Promise<ManifestPart[]> {
  const manifestKey = `${place.location}${MANIFEST_NAME}`
  const manifest = await objects.get(manifestKey)
  const expected = manifest && decodeManifest(manifest, manifestKey).parts
  const written = await uploadParts(objects, place, { parts, atOnce: 1, expected })
  await refuseOtherObjects(objects, place, written)
  return written
}

function placeOf(ref: PartitionRef, { format }: TableSchema, batchId: string): PartsPlace {
  return { batchId, location: batchLocation(ref, batchId), format }
}

export interface CommitInput extends Omit<StoreInput, 'parts' | 'batchId' | 'idempotencyKey'> {
  readonly batchId: string
  /** As written before, in the order in which readers get them. */
  readonly parts: readonly ManifestPart[]
  /** When the batch was begun; now unless given. */
  readonly createdAtMs?: number
  /** Several may commit this batch, of the same parts, and it is in the log once. */
  readonly isOnce?: boolean
}

/** Makes a batch of parts that are there, written by whomever: each is looked at first. Throws CatalogError `part-differs`. */
export async function commitParts(
  ports: StorePorts,
  ref: PartitionRef,
  schema: TableSchema,
  input: CommitInput,
): Promise<LogEntry> {
  const { batchId, who, why, isOnce = false } = input
  await prepareBatch(ports, ref, schema, input)
  return appendToLog(ports, ref, { kind: 'commit', batchId, who, why }, isOnce ? { after: 0 } : {})
}

/** Manifest and batch item of parts that are there and are what they should be. */
async function prepareBatch(
  ports: StorePorts,
  ref: PartitionRef,
  schema: TableSchema,
  input: Omit<CommitInput, 'isOnce'>,
): Promise<void> {
  const { format, columns } = schema
  const table = tableKey(ref)
  const partition = checkPartition(ref)
  checkReason(input)
  const { batchId, parts, who, why, inputs = [], contains, createdAtMs = ports.clock() } = input
  const place = placeOf(ref, schema, batchId)
  const { location } = place
  await checkParts(ports.objects, place, parts)
  const named = { table, partition, batchId, createdAtMs, who, why, format, columns }
  const manifestKey = `${location}${MANIFEST_NAME}`
  const manifest = await createManifest(
    ports.objects,
    manifestKey,
    encodeManifest({ ...named, inputs, contains, properties: input.properties?.(), parts }),
  )

  const nowMs = ports.clock()
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
    // What was begun long ago is old enough for a sweep until the log names it.
    ...(nowMs - createdAtMs < HOLD_MS / 2 ? {} : { heldAt: nowMs }),
  }
  const item = { table, sk: batchSortKey(partition, batchId), attributes: toAttributes(record) }
  if ((await ports.store.create(item)) === 'created') return
  await keepBegun(ports, ref, record)
}

/**
 * Of a batch whose item is there: it may be old enough for a sweep, which leaves it alone from now on. Throws CatalogError `batch-purged`,
 * `batch-exists`.
 */
async function keepBegun({ store, clock }: StorePorts, ref: PartitionRef, record: BatchRecord): Promise<void> {
  const { batchId, manifestSha256 } = record
  await changeBatch(store, ref, batchId, existing => {
    refusePurged(ref, existing)
    if (existing.manifestSha256 !== manifestSha256) throw batchExists(batchSortKey(ref.partition, batchId))
    const now = clock()
    // Of several that end it at once one is enough.
    return now - (existing.heldAt ?? 0) < HOLD_MS / 2 ? undefined : { ...existing, heldAt: now }
  })
}

/** Of a part's object, by the format of its table. */
export function contentTypeOf(format: string): string {
  return CONTENT_TYPES[format] ?? 'application/octet-stream'
}

interface Upload {
  readonly parts: StoreInput['parts']
  readonly atOnce: number
  /** Where the manifest says already which there are. */
  readonly expected?: readonly ManifestPart[] | undefined
}

async function uploadParts(
  objects: ObjectStore,
  place: PartsPlace,
  { parts, atOnce, expected }: Upload,
): Promise<ManifestPart[]> {
  const { location, format } = place
  const names = new Set<string>()
  const contentType = contentTypeOf(format)
  return mapPulled(parts, atOnce, async ({ name: stem, body, rows }, index) => {
    const name = partFileName(stem, index, format)
    if (names.has(name)) throw new CatalogError(`The part ${name} came twice`, { code: 'part-name-invalid' })
    names.add(name)
    const key = `${location}${name}`
    checkRows(key, place, { body, rows })
    const sha256 = sha256Hex(body)
    if (expected !== undefined && expected[index]?.sha256 !== sha256) throw batchExists(key)
    await createOwn(objects, key, body, { contentType, sha256, metadata: partMetadata(rows) })
    return { name, bytes: body.byteLength, rows, sha256 }
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
async function createOwn(objects: ObjectStore, key: string, body: Uint8Array, options: CreateOptions): Promise<void> {
  if ((await objects.create(key, body, options)) === 'created') return
  const existing = await objects.get(key)
  if (existing === undefined || !Buffer.from(existing).equals(body)) throw batchExists(key)
}

function batchExists(key: string): CatalogError {
  return new CatalogError(`${key} was written by somebody else`, {
    code: 'batch-exists',
    next: 'Store again without a batch ID of your own.',
  })
}
