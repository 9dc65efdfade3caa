// Reading a batch, believing nothing: the manifest must have the hash that the batch item names, each part the bytes and the
// hash that the manifest names. A part is handed out only after its check.
import { sha256Hex } from '../platform/hash.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { CatalogStore } from './catalog-store.ts'
import { batchPurged } from './change-batch.ts'
import { CatalogError } from './errors.ts'
import { type BatchRecord, type LogEntry, readBatchRecord } from './items.ts'
import { batchSortKey, placeOfLocation } from './layout.ts'
import { decodeManifest, forgottenFrom, type Manifest, type ManifestPart } from './manifest.ts'
import { type PartitionRef, tableKey } from './names.ts'

export interface LoadPorts {
  readonly store: CatalogStore
  readonly objects: ObjectStore
}

export interface LoadedBatch {
  /** The log entry that made this batch visible, the newest one. */
  readonly entry: LogEntry
  readonly record: BatchRecord
  readonly manifest: Manifest
  /** The batch in whose place it came, where somebody was forgotten: an anchor moves on by itself. */
  readonly successorOf?: string
  /** manifest.json as it is stored, whose hash the catalogue has. */
  readonly manifestBytes: Uint8Array
  /** One part after another, verified. */
  parts(): AsyncIterable<LoadedPart>
}

export interface LoadedPart extends ManifestPart {
  readonly body: Uint8Array
}

/** Of the batch's record. */
export type PartLocation = Pick<BatchRecord, 'batchId' | 'location'>

export async function loadBatch(ports: LoadPorts, ref: PartitionRef, entry: LogEntry): Promise<LoadedBatch> {
  const record = await readBatch(ports, ref, entry.batchId)
  if (record.state === 'purged') throw batchPurged(ref, record)
  if (record.state === 'cold') {
    throw new CatalogError(`The batch ${record.batchId} was moved to cold storage`, {
      code: 'batch-cold',
      next: 'Restore it first.',
      batchId: record.batchId,
    })
  }
  const { manifest, manifestBytes } = await readManifest(ports, record)
  const successorOf = forgottenFrom(manifest)
  const parts = (): AsyncIterable<LoadedPart> => verifiedParts(ports, record, manifest)
  return { entry, record, manifest, manifestBytes, ...(successorOf === undefined ? {} : { successorOf }), parts }
}

/** Throws CatalogError `batch-damaged`, `batch-purged`, `manifest-invalid`, ObjectStoreError. */
export async function readManifest(
  ports: LoadPorts,
  record: BatchRecord,
): Promise<Pick<LoadedBatch, 'manifest' | 'manifestBytes'>> {
  const bytes = await existingObject(ports, record.manifestKey, record)
  if (sha256Hex(bytes) !== record.manifestSha256) {
    throw damaged(record.manifestKey, 'its SHA-256 is not the one in the catalogue', record.batchId)
  }
  return { manifest: decodeManifest(bytes, record.manifestKey), manifestBytes: bytes }
}

/** Throws CatalogError `batch-not-found`. */
export async function readBatch({ store }: LoadPorts, ref: PartitionRef, batchId: string): Promise<BatchRecord> {
  const table = tableKey(ref)
  const item = await store.get(table, batchSortKey(ref.partition, batchId))
  if (item !== undefined) return readBatchRecord(item)
  throw new CatalogError(`The log of ${table} names ${batchId}, which has no batch item`, {
    code: 'batch-not-found',
    next: 'Roll back to a batch that is there.',
    table,
    partition: ref.partition,
    batchId,
  })
}

async function* verifiedParts(ports: LoadPorts, record: BatchRecord, { parts }: Manifest): AsyncGenerator<LoadedPart> {
  for (const part of parts) yield loadPart(ports, record, part)
}

/** Throws CatalogError `batch-damaged`, `batch-purged`, ObjectStoreError. */
export async function loadPart(ports: LoadPorts, of: PartLocation, part: ManifestPart): Promise<LoadedPart> {
  const { batchId, location } = of
  const key = `${location}${part.name}`
  const body = await existingObject(ports, key, of)
  if (body.byteLength !== part.bytes) throw damaged(key, `${body.byteLength} bytes instead of ${part.bytes}`, batchId)
  if (sha256Hex(body) !== part.sha256) throw damaged(key, 'its SHA-256 is not the one in the manifest', batchId)
  return { ...part, body }
}

/** What is gone may have been purged since the reader began: then nothing is damaged. */
async function existingObject({ store, objects }: LoadPorts, key: string, of: PartLocation): Promise<Uint8Array> {
  const body = await objects.get(key)
  if (body !== undefined) return body
  const place = placeOfLocation(of.location)
  const item = place && (await store.get(tableKey(place), batchSortKey(place.partition, place.batchId)))
  const record = item && readBatchRecord(item)
  if (place !== undefined && record?.state === 'purged') throw batchPurged(place, record)
  throw damaged(key, 'it is gone', of.batchId)
}

function damaged(key: string, what: string, batchId: string): CatalogError {
  return new CatalogError(`${key} is damaged: ${what}`, {
    code: 'batch-damaged',
    next: 'Roll the partition back, and restore the object from the bucket’s versions.',
    batchId,
  })
}
