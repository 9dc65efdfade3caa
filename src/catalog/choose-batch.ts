// Which batch of a partition a reader means: the current one, one by its ID, the one that an anchor holds, or the one that was current
// at an instant.
import { anchoredBatch, anchorNotFound } from './anchors.ts'
import { checkBatchId } from './batch-id.ts'
import type { CatalogStore } from './catalog-store.ts'
import { committedEntry, currentEntry, readLogAsOf } from './commit-log.ts'
import { CatalogError } from './errors.ts'
import type { LogEntry } from './items.ts'
import { checkPartition, type PartitionRef, tableKey } from './names.ts'
import { existingTable } from './table-schema.ts'

/** One of them at most; the current batch where none is given. */
export interface BatchChoice {
  readonly batchId?: string | undefined
  readonly anchor?: string | undefined
  /** Commit time, ms: what was current then. */
  readonly asOfMs?: number | undefined
}

/** Throws CatalogError `choice-ambiguous`, `batch-not-found`, `anchor-not-found`, `partition-empty`, `table-not-found`. */
export async function chooseBatch(store: CatalogStore, ref: PartitionRef, choice: BatchChoice = {}): Promise<LogEntry> {
  const { batchId, anchor, asOfMs } = choice
  if ([batchId, anchor, asOfMs].filter(given => given !== undefined).length > 1) throw ambiguous(ref)
  if (batchId !== undefined) return committedEntry(store, ref, checkBatchId(batchId))
  if (anchor !== undefined) {
    const record = await anchoredBatch(store, ref, anchor)
    if (record === undefined) throw anchorNotFound(ref, anchor)
    return committedEntry(store, ref, record.batchId)
  }
  const entry = asOfMs === undefined ? await currentEntry(store, ref) : await readLogAsOf(store, ref, asOfMs)
  if (entry !== undefined) return entry
  await existingTable(store, ref)
  throw new CatalogError(
    `Nothing was committed to ${tableKey(ref)}, partition ${ref.partition}${asOfMs === undefined ? '' : ', until then'}`,
    {
      code: 'partition-empty',
      next: 'Check the name of the partition, or store a batch.',
      table: tableKey(ref),
      partition: checkPartition(ref),
    },
  )
}

function ambiguous(ref: PartitionRef): CatalogError {
  return new CatalogError(`More than one of batch ID, anchor and time says which batch of ${tableKey(ref)} is meant`, {
    code: 'choice-ambiguous',
    next: 'Give one of them.',
    table: tableKey(ref),
    partition: ref.partition,
  })
}
