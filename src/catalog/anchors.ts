// Anchors: who relies on one very batch says so by a name, and retention leaves the batch alone until the name is released. They are part
// of the batch item, so that an anchor and a purge of one batch cannot both succeed.
import type { Clock } from '../platform/clock.ts'
import { checkBatchId } from './batch-id.ts'
import type { CatalogStore } from './catalog-store.ts'
import { checkReason } from './commit-log.ts'
import { CatalogError } from './errors.ts'
import { type BatchRecord, type Note, readBatchRecord, toAttributes } from './items.ts'
import { batchesPrefix, batchSortKey } from './layout.ts'
import { checkPartition, type PartitionRef, tableKey } from './names.ts'

export interface AnchorInput {
  /** Of the reader: `churn-report`. One of a partition anchors one batch. */
  readonly anchor: string
  readonly batchId: string
  readonly who: string
  readonly why: string
}

/** Each lost round means that somebody else changed this very batch item in between. */
const ROUNDS_MAX = 20
/** All anchors of a batch are in one item of at most 400 KB. */
const ANCHORS_MAX = 100
const ANCHOR_NAME = /^[a-z][a-z0-9_.-]{0,63}$/

/** Throws CatalogError `name-invalid`. */
export function checkAnchor(anchor: string): string {
  if (ANCHOR_NAME.test(anchor)) return anchor
  throw new CatalogError(`${JSON.stringify(anchor)} cannot be the name of an anchor`, {
    code: 'name-invalid',
    next: 'Use small letters, digits, _, . and -, a letter first, at most 64 characters.',
  })
}

/** The batch that the name anchors; undefined: none of this partition. Reads the partition's batch items. */
export async function anchoredBatch(
  store: CatalogStore,
  ref: PartitionRef,
  anchor: string,
): Promise<BatchRecord | undefined> {
  checkAnchor(anchor)
  for await (const item of store.list(tableKey(ref), batchesPrefix(checkPartition(ref)), { isNewestFirst: true })) {
    const record = readBatchRecord(item)
    if (Object.hasOwn(record.anchors ?? {}, anchor)) return record
  }
  return undefined
}

/**
 * Of a batch that was anchored so already nothing changes. Throws CatalogError `anchor-taken` where the name anchors another batch of the
 * partition, `batch-purged`, `batch-not-found`, `anchors-full`.
 */
export async function anchorBatch(
  { store, clock }: { readonly store: CatalogStore; readonly clock: Clock },
  ref: PartitionRef,
  { anchor, batchId, who, why }: AnchorInput,
): Promise<BatchRecord> {
  checkReason({ who, why })
  const before = await anchoredBatch(store, ref, anchor)
  if (before !== undefined && before.batchId !== batchId) throw anchorTaken(ref, anchor, before.batchId)
  return changeBatch(store, ref, batchId, record => {
    if (record.purged !== undefined || record.state === 'purged') throw batchPurged(ref, record)
    const anchors = record.anchors ?? {}
    if (Object.hasOwn(anchors, anchor)) return undefined
    if (Object.keys(anchors).length >= ANCHORS_MAX) throw anchorsFull(ref, batchId)
    return { ...record, anchors: { ...anchors, [anchor]: { at: clock(), who, why } } }
  })
}

/** The batch that it anchored. Throws CatalogError `anchor-not-found`. */
export async function releaseAnchor(store: CatalogStore, ref: PartitionRef, anchor: string): Promise<BatchRecord> {
  const anchored = await anchoredBatch(store, ref, anchor)
  if (anchored === undefined) throw anchorNotFound(ref, anchor)
  return changeBatch(store, ref, anchored.batchId, record => {
    const { [anchor]: released, ...anchors } = record.anchors ?? {}
    return released === undefined ? undefined : { ...record, anchors }
  })
}

/**
 * Replaces a batch item by what the change makes of it, by compare-and-set; `undefined` leaves it. Throws CatalogError `batch-not-found`,
 * `batch-contended`, and what the change throws.
 */
export async function changeBatch(
  store: CatalogStore,
  ref: PartitionRef,
  batchId: string,
  change: (record: BatchRecord) => BatchRecord | undefined,
): Promise<BatchRecord> {
  const [table, sk] = [tableKey(ref), batchSortKey(checkPartition(ref), checkBatchId(batchId))]
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const item = await store.get(table, sk)
    if (item === undefined) throw noBatch(ref, batchId)
    const record = readBatchRecord(item)
    const changed = change(record)
    if (changed === undefined) return record
    const next = { ...changed, revision: (record.revision ?? 0) + 1 }
    // What a later release has put there stays.
    const attributes = { ...item.attributes, ...toAttributes(next), revision: next.revision }
    if ((await store.replace({ table, sk, attributes })) === 'replaced') return next
  }
  throw new CatalogError(`Others keep changing the batch ${batchId} of ${table}`, {
    code: 'batch-contended',
    retriable: true,
    next: 'Try again.',
    table,
    partition: ref.partition,
    batchId,
  })
}

export function batchPurged(ref: PartitionRef, { batchId, purged }: BatchRecord): CatalogError {
  const { who, why } = purged ?? ({ who: 'somebody', why: 'nobody said why' } satisfies Partial<Note>)
  return new CatalogError(`The bytes of ${batchId} are gone, purged by ${who}: ${why}`, {
    code: 'batch-purged',
    next: 'Read another batch of the partition; `millrace table history` lists them.',
    table: tableKey(ref),
    partition: ref.partition,
    batchId,
  })
}

export function anchorNotFound(ref: PartitionRef, anchor: string): CatalogError {
  return new CatalogError(`No batch of ${tableKey(ref)}, partition ${ref.partition}, is anchored by ${anchor}`, {
    code: 'anchor-not-found',
    next: 'Anchor one first: `millrace table anchor`.',
    table: tableKey(ref),
    partition: ref.partition,
  })
}

function anchorTaken(ref: PartitionRef, anchor: string, batchId: string): CatalogError {
  return new CatalogError(`${anchor} anchors ${batchId} already`, {
    code: 'anchor-taken',
    next: 'Release it first, or take another name.',
    table: tableKey(ref),
    partition: ref.partition,
    batchId,
  })
}

function anchorsFull(ref: PartitionRef, batchId: string): CatalogError {
  return new CatalogError(`${batchId} has ${ANCHORS_MAX} anchors already`, {
    code: 'anchors-full',
    next: 'Release those that nobody needs.',
    table: tableKey(ref),
    partition: ref.partition,
    batchId,
  })
}

function noBatch(ref: PartitionRef, batchId: string): CatalogError {
  return new CatalogError(`The table ${tableKey(ref)} has no batch ${batchId}, partition ${ref.partition}`, {
    code: 'batch-not-found',
    next: '`millrace table history` lists those that were committed.',
    table: tableKey(ref),
    partition: ref.partition,
    batchId,
  })
}
