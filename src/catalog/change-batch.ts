// The one part of the catalogue's items that changes: who relies on a batch, and whether its bytes are there. Each change is a
// compare-and-set of the batch item, so that of two that cannot both be true one fails.
import type { Json } from '../platform/canonical-json.ts'
import type { Clock } from '../platform/clock.ts'
import { HOUR_MS } from '../platform/duration.ts'
import { checkBatchId } from './batch-id.ts'
import type { CatalogStore } from './catalog-store.ts'
import { CatalogError } from './errors.ts'
import { type BatchRecord, type Note, readBatchRecord, toAttributes } from './items.ts'
import { batchSortKey, placeOfLocation } from './layout.ts'
import { checkPartition, type PartitionRef, tableKey } from './names.ts'

/** Each lost round means that somebody else changed this very batch item in between. */
const ROUNDS_MAX = 20

/** Between a hold and what it is for are two calls of seconds; an hour has clocks that differ and patience in it. */
export const HOLD_MS = HOUR_MS

/** What is taken out of an item as well as put in; whatever else is there, of a later release perhaps, stays. */
const CHANGING = new Set(['anchors', 'released', 'purged', 'removedAt', 'heldAt'])

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
    const attributes = { ...othersOf(item.attributes), ...toAttributes(next), revision: next.revision }
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

/** Throws CatalogError `batch-not-found`. */
export async function existingBatch(store: CatalogStore, ref: PartitionRef, batchId: string): Promise<BatchRecord> {
  const item = await store.get(tableKey(ref), batchSortKey(checkPartition(ref), checkBatchId(batchId)))
  if (item === undefined) throw noBatch(ref, batchId)
  return readBatchRecord(item)
}

/** The item of the partition that the batch was stored in: a batch of several partitions is purged, or held, there. */
export function homeOf(ref: PartitionRef, { location }: Pick<BatchRecord, 'location'>): PartitionRef {
  return placeOfLocation(location) ?? ref
}

/**
 * Before a batch becomes current somewhere, or is anchored in another partition than its own: from now on a purge fails, as this does
 * after one. Throws CatalogError `batch-purged`, `batch-not-found`.
 */
export async function holdBatch(
  { store, clock }: { readonly store: CatalogStore; readonly clock: Clock },
  ref: PartitionRef,
  record: Pick<BatchRecord, 'batchId' | 'location'>,
): Promise<void> {
  await changeBatch(store, homeOf(ref, record), record.batchId, home => {
    refusePurged(ref, home)
    return { ...home, heldAt: clock() }
  })
}

/** Throws CatalogError `batch-purged`, of one that is about to be as well. */
export function refusePurged(ref: PartitionRef, record: BatchRecord): void {
  if (record.purged !== undefined || record.state === 'purged') throw batchPurged(ref, record)
}

export function batchPurged(ref: PartitionRef, { batchId, purged, successor }: BatchRecord): CatalogError {
  const { who, why } = purged ?? ({ who: 'somebody', why: 'nobody said why' } satisfies Partial<Note>)
  return new CatalogError(`The bytes of ${batchId} are gone, purged by ${who}: ${why}`, {
    code: 'batch-purged',
    next:
      successor === undefined
        ? 'Read another batch of the partition; `millrace table history` lists them.'
        : `Read its successor ${successor}, which has its other rows.`,
    table: tableKey(ref),
    partition: ref.partition,
    batchId,
    successor,
  })
}

function othersOf(attributes: Readonly<Record<string, Json>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !CHANGING.has(name)))
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
