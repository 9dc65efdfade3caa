// Anchors: who relies on one very batch says so by a name, and retention leaves the batch alone until the name is released. They are part
// of the batch item, so that an anchor and a purge of one batch cannot both succeed.
import type { Clock } from '../platform/clock.ts'
import type { CatalogStore } from './catalog-store.ts'
import { changeBatch, existingBatch, holdBatch, homeOf, refusePurged } from './change-batch.ts'
import { checkReason } from './commit-log.ts'
import { CatalogError } from './errors.ts'
import { type BatchRecord, type Note, readBatchRecord } from './items.ts'
import { batchesPrefix } from './layout.ts'
import { checkPartition, type PartitionRef, tableKey } from './names.ts'

export interface AnchorInput {
  /** Of the reader: `churn-report`. One of a partition anchors one batch. */
  readonly anchor: string
  readonly batchId: string
  readonly who: string
  readonly why: string
}

/** All anchors of a batch are in one item of at most 400 KB. */
const ANCHORS_MAX = 100
/** Kept for the audit, in the same item. */
const RELEASED_MAX = 20
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

export interface Anchor extends Note {
  readonly anchor: string
  readonly batchId: string
}

/** Of the partition, of the newest batch first. */
export async function anchorsOf(store: CatalogStore, ref: PartitionRef): Promise<readonly Anchor[]> {
  const all: Anchor[] = []
  for await (const item of store.list(tableKey(ref), batchesPrefix(checkPartition(ref)), { isNewestFirst: true })) {
    const { batchId, anchors = {} } = readBatchRecord(item)
    all.push(...Object.entries(anchors).map(([anchor, note]) => ({ anchor, batchId, ...note })))
  }
  return all
}

interface AnchorPorts {
  readonly store: CatalogStore
  readonly clock: Clock
}

/**
 * Of a batch that was anchored so already nothing changes. Throws CatalogError `anchor-taken` where the name anchors another batch of the
 * partition, `batch-purged`, `batch-not-found`, `anchors-full`.
 */
export async function anchorBatch(
  ports: AnchorPorts,
  ref: PartitionRef,
  { anchor, batchId, who, why }: AnchorInput,
): Promise<BatchRecord> {
  checkReason({ who, why })
  const before = await planAnchor(ports.store, ref, { anchor, batchId })
  // Of a batch that was promoted the item here says nothing yet while it is being purged.
  if (homeOf(ref, before).partition !== ref.partition) await holdBatch(ports, ref, before)
  const anchored = await changeBatch(ports.store, ref, batchId, record => {
    refusePurged(ref, record)
    const anchors = record.anchors ?? {}
    if (Object.hasOwn(anchors, anchor)) return undefined
    if (Object.keys(anchors).length >= ANCHORS_MAX) throw anchorsFull(ref, batchId)
    return { ...record, anchors: { ...anchors, [anchor]: { at: ports.clock(), who, why } } }
  })
  await refuseSecond(ports.store, ref, { anchor, batchId })
  return anchored
}

/** Two who anchor two batches by one name at once both find the other's here: one of them stays at most. */
async function refuseSecond(
  store: CatalogStore,
  ref: PartitionRef,
  { anchor, batchId }: Pick<AnchorInput, 'anchor' | 'batchId'>,
): Promise<void> {
  const all = await anchorsOf(store, ref)
  const other = all.find(each => each.anchor === anchor && each.batchId !== batchId)
  if (other === undefined) return
  await changeBatch(store, ref, batchId, record => {
    const { [anchor]: own, ...anchors } = record.anchors ?? {}
    return own === undefined ? undefined : { ...record, anchors }
  })
  throw anchorTaken(ref, anchor, other.batchId)
}

/** Throws what anchoring would; the batch as it is now. */
export async function planAnchor(
  store: CatalogStore,
  ref: PartitionRef,
  { anchor, batchId }: Pick<AnchorInput, 'anchor' | 'batchId'>,
): Promise<BatchRecord> {
  const anchored = await anchoredBatch(store, ref, anchor)
  if (anchored !== undefined && anchored.batchId !== batchId) throw anchorTaken(ref, anchor, anchored.batchId)
  const record = await existingBatch(store, ref, batchId)
  refusePurged(ref, record)
  return record
}

/** The batch that it anchored. Throws CatalogError `anchor-not-found`. */
export async function releaseAnchor(
  { store, clock }: AnchorPorts,
  ref: PartitionRef,
  { anchor, who, why }: Omit<AnchorInput, 'batchId'>,
): Promise<BatchRecord> {
  checkReason({ who, why })
  const { batchId } = await planRelease(store, ref, anchor)
  return changeBatch(store, ref, batchId, record => {
    const { [anchor]: set, ...anchors } = record.anchors ?? {}
    if (set === undefined) return undefined
    const released = [{ anchor, set, released: { at: clock(), who, why } }, ...(record.released ?? [])]
    return { ...record, anchors, released: released.slice(0, RELEASED_MAX) }
  })
}

/** The batch that it anchors. Throws CatalogError `anchor-not-found`. */
export async function planRelease(store: CatalogStore, ref: PartitionRef, anchor: string): Promise<BatchRecord> {
  const anchored = await anchoredBatch(store, ref, anchor)
  if (anchored === undefined) throw anchorNotFound(ref, anchor)
  return anchored
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
