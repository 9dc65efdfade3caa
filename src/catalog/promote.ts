// A batch of one partition becomes the current one of another: the batch item of the other points to the same objects, so no byte
// moves and the batch has one name everywhere. Until the log entry nobody sees it, as with any batch.
import { checkBatchId } from './batch-id.ts'
import { holdBatch, refusePurged } from './change-batch.ts'
import { appendToLog, checkReason, committedEntry, currentEntry, type LogPorts } from './commit-log.ts'
import { CatalogError } from './errors.ts'
import { type BatchRecord, type LogEntry, readBatchRecord, toAttributes } from './items.ts'
import { batchSortKey } from './layout.ts'
import { type LoadPorts, readBatch } from './load-batch.ts'
import { checkPartition, type PartitionRef, tableKey } from './names.ts'
import { alreadyCurrent } from './already-current.ts'
import { refuseYanked } from './yank.ts'

export interface PromoteInput {
  readonly batchId: string
  readonly who: string
  readonly why: string
}

export interface PromotePlan {
  readonly record: BatchRecord
  /** Of the other partition; undefined: nothing was ever committed to it. */
  readonly current: LogEntry | undefined
}

type PromotePorts = LogPorts & LoadPorts

/** Throws CatalogError: `already-current`, `batch-not-found`, `batch-purged`, `batch-yanked`, `name-invalid`. */
export async function planPromote(
  ports: PromotePorts,
  [from, to]: readonly [PartitionRef, PartitionRef],
  batchId: string,
): Promise<PromotePlan> {
  refuseOtherTable(from, to)
  checkPartition(to)
  await committedEntry(ports.store, from, checkBatchId(batchId))
  await refuseYanked(ports.store, to, batchId)
  const current = await currentEntry(ports.store, to)
  if (current?.batchId === batchId) throw alreadyCurrent(current)
  const record = await readBatch(ports, from, batchId)
  refusePurged(from, record)
  return { record, current }
}

export async function promoteBatch(
  ports: PromotePorts,
  [from, to]: readonly [PartitionRef, PartitionRef],
  { batchId, who, why }: PromoteInput,
): Promise<LogEntry> {
  checkReason({ who, why })
  // Who relies on the batch says so of a partition.
  const plan = await planPromote(ports, [from, to], batchId)
  const { anchors: _anchors, released: _released, heldAt: _heldAt, revision: _revision, ...record } = plan.record
  await holdBatch(ports, from, record)
  await createItem(ports, to, record)
  return appendToLog(ports, to, { kind: 'promote', batchId, who, why })
}

/** The item may be there: of a promotion that died, or of an earlier one. It must then be of the same bytes. */
async function createItem({ store }: PromotePorts, to: PartitionRef, record: BatchRecord): Promise<void> {
  const item = { table: tableKey(to), sk: batchSortKey(to.partition, record.batchId), attributes: toAttributes(record) }
  if ((await store.create(item)) === 'created') return
  const existing = await store.get(item.table, item.sk)
  if (existing !== undefined && readBatchRecord(existing).manifestSha256 === record.manifestSha256) return
  throw new CatalogError(`The partition ${to.partition} has a batch ${record.batchId} of other bytes`, {
    code: 'batch-exists',
    next: 'Store it again under another batch ID.',
    table: item.table,
    partition: to.partition,
    batchId: record.batchId,
  })
}

function refuseOtherTable(from: PartitionRef, to: PartitionRef): void {
  if (tableKey(from) === tableKey(to)) return
  throw new CatalogError(`A batch of ${tableKey(from)} cannot become one of ${tableKey(to)}`, {
    code: 'table-differs',
    next: 'Promote within one table.',
  })
}
