// Writing a batch: parts, manifest, batch item, and last the log entry that makes it visible. Each is created if absent under
// names that nobody else has, so a crash anywhere leaves an orphan that no reader sees and no later run trips over.
import type { Json } from '../platform/canonical-json.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { checkBatchId, newBatchId } from './batch-id.ts'
import { changeBatch, HOLD_MS, refusePurged } from './change-batch.ts'
import { checkParts, type PartsPlace } from './check-parts.ts'
import { appendToLog, checkReason, type LogPorts } from './commit-log.ts'
import { asKeyReused, type BegunBatch, claimBatches } from './idempotency-key.ts'
import {
  type BatchInput,
  type BatchRecord,
  type LogEntry,
  readBatchRecord,
  type TableSchema,
  toAttributes,
} from './items.ts'
import { batchLocation, batchSortKey, checkPartNames, MANIFEST_NAME } from './layout.ts'
import { decodeManifest, encodeManifest, type ManifestPart } from './manifest.ts'
import { checkPartition, type PartitionRef, tableKey } from './names.ts'
import { refuseOtherKeys } from './partition-name.ts'
import { batchExists, endParts, type Parts, uploadParts } from './upload-parts.ts'
import { refuseYanked } from './yank.ts'

export interface StoreInput {
  /** Pulled as they are uploaded, so that a large batch is never in memory as a whole. */
  readonly parts: Parts
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

/** The manifest names all; a DynamoDB item takes 400 KB, and what was made from years of hours has thousands. */
export const INPUTS_IN_ITEM_MAX = 1_000

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
    const written = await (mayBeBegun ? endParts : uploadParts)(ports.objects, place, parts)
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
  return uploadParts(objects, placeOf(ref, schema, checkBatchId(batchId)), parts)
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
  /** Called once all parts were found to be there, before anything is written: what it throws ends the commit. */
  readonly whenChecked?: () => Promise<void>
}

/** Makes a batch of parts that are there, written by whomever: each is looked at first. Throws CatalogError `part-differs`. */
export async function commitParts(
  ports: StorePorts,
  ref: PartitionRef,
  schema: TableSchema,
  input: CommitInput,
): Promise<LogEntry> {
  const { batchId, who, why, isOnce = false } = input
  checkStore(ref, schema, input)
  checkPartNames(input.parts, schema)
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
  await checkParts(ports.objects, { ...place, columns }, parts)
  await input.whenChecked?.()
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
