// The catalogue: which batch of which partition is current, for data, models and definitions. A batch becomes visible by
// one write, the log entry that names it, so a reader sees the whole of it or the batch before.
import type { Clock, Sleep } from '../platform/clock.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { Random } from '../platform/random.ts'
import { alreadyCurrent } from './already-current.ts'
import { type AnchorInput, anchorBatch, planAnchor, planRelease, releaseAnchor } from './anchors.ts'
import { checkBatchId } from './batch-id.ts'
import type { CatalogStore } from './catalog-store.ts'
import { holdBatch, refusePurged } from './change-batch.ts'
import { type BatchChoice, chooseBatch } from './choose-batch.ts'
import {
  appendToLog,
  committedEntry,
  currentEntry,
  type CurrentPartition,
  currentPartitions,
  readLog,
} from './commit-log.ts'
import type { BatchRecord, LogEntry, TableSchema, Yank } from './items.ts'
import { type LoadedBatch, type LoadedPart, loadBatch, loadPart, type PartLocation, readBatch } from './load-batch.ts'
import type { ManifestPart } from './manifest.ts'
import { parseTableName, type PartitionRef, type TableRef } from './names.ts'
import { planPromote, promoteBatch, type PromoteInput, type PromotePlan } from './promote.ts'
import { type PartitionBatch, storeAllBatches, type StoreAllInput } from './store-all.ts'
import {
  type CommitInput,
  commitParts,
  type StoreInput,
  storeBatch,
  type WriteInput,
  writeParts,
} from './store-batch.ts'
import { defineTable, existingTable, tableSchema } from './table-schema.ts'
import { findYank, listYanks, planYank, refuseYanked, yankBatch, type YankInput } from './yank.ts'

/** Everything throws CatalogError (names, missing things, damage, an unavailable store) or ObjectStoreError. */
export interface Catalog {
  /** Columns may be added and dropped later; another type of one is `table-differs`. */
  createTable(ref: TableRef, schema: TableSchema): Promise<'created' | 'changed' | 'exists'>
  schema(ref: TableRef): Promise<TableSchema | undefined>
  /** All tables, in code point order; it reads the keys of every item of the catalogue. */
  tables(): Promise<readonly TableRef[]>
  /** Writes a batch and makes it current. Fails with nothing visible; what it wrote until then nobody sees. */
  store(ref: PartitionRef, input: StoreInput): Promise<LogEntry>
  /** Parts of a batch that nobody sees until it is committed; several writers may each write some, under names of their own. */
  writeParts(ref: PartitionRef, schema: TableSchema, input: WriteInput): Promise<readonly ManifestPart[]>
  /** Makes a batch current whose parts were written so. */
  commitParts(ref: PartitionRef, schema: TableSchema, input: CommitInput): Promise<LogEntry>
  /** Batches of several partitions that become current at one instant, or none; where that cannot be, it says so beforehand. */
  storeAll(
    ref: TableRef,
    batches: readonly PartitionBatch[],
    input: StoreAllInput,
  ): Promise<readonly CurrentPartition[]>
  /** The newest log entry; undefined where nothing was ever committed. */
  current(ref: PartitionRef): Promise<LogEntry | undefined>
  /** Every partition of the table with the newest entry of its log, in code point order; none where there is no such table. */
  partitions(ref: TableRef): Promise<readonly CurrentPartition[]>
  /** Log entries, newest first. */
  history(ref: PartitionRef, options?: { readonly limit?: number }): Promise<readonly LogEntry[]>
  /** A batch that was committed at some time; an orphan is `batch-not-found`. */
  batch(ref: PartitionRef, batchId: string): Promise<BatchRecord>
  /** What a rollback would do, with nothing written. */
  planRollback(ref: PartitionRef, to: string): Promise<RollbackPlan>
  /** Makes an earlier batch current by a new log entry; no byte is moved. */
  rollback(ref: PartitionRef, input: RollbackInput): Promise<LogEntry>
  /** What a promotion would do, with nothing written. */
  planPromote(from: PartitionRef, to: PartitionRef, batchId: string): Promise<PromotePlan>
  /** Makes a batch of one partition current in another of the same table; no byte is moved. */
  promote(from: PartitionRef, to: PartitionRef, input: PromoteInput): Promise<LogEntry>
  /** That nothing makes the batch current any more; refused while it is current somewhere. */
  yank(ref: TableRef, input: YankInput): Promise<Yank>
  planYank(ref: TableRef, batchId: string): Promise<void>
  /** Why a batch must not be used; undefined where it may be. One small read. */
  yanked(ref: TableRef, batchId: string): Promise<Yank | undefined>
  /** All of the table, by batch ID. */
  yanks(ref: TableRef): Promise<ReadonlyMap<string, Yank>>
  /** The current batch, or the chosen one; a text is its ID. Bytes and SHA-256 of everything read are checked. */
  load(ref: PartitionRef, choice?: string | BatchChoice): Promise<LoadedBatch>
  /** The log entry of the batch that load would read. */
  choose(ref: PartitionRef, choice?: BatchChoice): Promise<LogEntry>
  /** Keeps the batch from retention until the name is released; the current one unless given. */
  anchor(ref: PartitionRef, input: Omit<AnchorInput, 'batchId'> & BatchChoice): Promise<BatchRecord>
  /** What anchoring would do, with nothing written. */
  planAnchor(ref: PartitionRef, input: Pick<AnchorInput, 'anchor'> & BatchChoice): Promise<BatchRecord>
  release(ref: PartitionRef, input: Omit<AnchorInput, 'batchId'>): Promise<BatchRecord>
  planRelease(ref: PartitionRef, anchor: string): Promise<BatchRecord>
  /** One part of a batch that was loaded before, verified like all: for who needs a few parts of many batches. */
  loadPart(location: PartLocation, part: ManifestPart): Promise<LoadedPart>
}

export interface RollbackInput {
  /** Batch ID. */
  readonly to: string
  readonly who: string
  readonly why: string
}

export interface RollbackPlan {
  readonly from: LogEntry
  readonly to: BatchRecord
  readonly nextNumber: number
}

export interface CatalogPorts {
  readonly store: CatalogStore
  readonly objects: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly sleep: Sleep
}

export function catalog(ports: CatalogPorts): Catalog {
  return {
    createTable: (ref, schema) => defineTable(ports.store, ref, schema),
    schema: ref => tableSchema(ports.store, ref),
    tables: async () => (await ports.store.tables()).map(parseTableName),
    store: async (ref, input) => storeBatch(ports, ref, await existingTable(ports.store, ref), input),
    writeParts: (ref, schema, input) => writeParts(ports.objects, ref, schema, input),
    commitParts: (ref, schema, input) => commitParts(ports, ref, schema, input),
    storeAll: async (ref, batches, input) =>
      storeAllBatches(ports, ref, await existingTable(ports.store, ref), batches, input),
    current: async ref => currentEntry(ports.store, ref),
    partitions: ref => currentPartitions(ports.store, ref),
    history: (ref, options) => readLog(ports.store, ref, options?.limit),
    batch: async (ref, batchId) => {
      await committedEntry(ports.store, ref, checkBatchId(batchId))
      return readBatch(ports, ref, batchId)
    },
    planRollback: (ref, to) => planRollback(ports, ref, to),
    rollback: async (ref, { to, who, why }) => {
      const plan = await planRollback(ports, ref, to)
      await holdBatch(ports, ref, plan.to)
      return appendToLog(ports, ref, { kind: 'rollback', batchId: to, who, why })
    },
    planPromote: (from, to, batchId) => planPromote(ports, [from, to], batchId),
    promote: (from, to, input) => promoteBatch(ports, [from, to], input),
    yank: (ref, input) => yankBatch(ports, ref, input),
    planYank: (ref, batchId) => planYank(ports.store, ref, batchId),
    yanked: (ref, batchId) => findYank(ports.store, ref, batchId),
    yanks: ref => listYanks(ports.store, ref),
    load: async (ref, choice) => {
      const chosen = typeof choice === 'string' ? { batchId: choice } : choice
      return loadBatch(ports, ref, await chooseBatch(ports.store, ref, chosen))
    },
    choose: (ref, choice) => chooseBatch(ports.store, ref, choice),
    anchor: async (ref, { anchor, who, why, batchId, asOfMs }) => {
      const chosen = await chooseBatch(ports.store, ref, { batchId, asOfMs })
      return anchorBatch(ports, ref, { anchor, who, why, batchId: chosen.batchId })
    },
    planAnchor: async (ref, { anchor, batchId, asOfMs }) => {
      const chosen = await chooseBatch(ports.store, ref, { batchId, asOfMs })
      return planAnchor(ports.store, ref, { anchor, batchId: chosen.batchId })
    },
    release: (ref, input) => releaseAnchor(ports, ref, input),
    planRelease: (ref, anchor) => planRelease(ports.store, ref, anchor),
    loadPart: (location, part) => loadPart(ports, location, part),
  }
}

async function planRollback(ports: CatalogPorts, ref: PartitionRef, to: string): Promise<RollbackPlan> {
  checkBatchId(to)
  const from = await chooseBatch(ports.store, ref)
  if (from.batchId === to) throw alreadyCurrent(from)
  await committedEntry(ports.store, ref, to)
  await refuseYanked(ports.store, ref, to)
  const record = await readBatch(ports, ref, to)
  refusePurged(ref, record)
  return { from, to: record, nextNumber: from.number + 1 }
}
