// Batches of several partitions that become visible at one instant: their log entries are created all or none, and all bear one time, so
// that a reader of many partitions who asks for an instant sees all of them or none. The first may have been written hours before the
// last: right before the log entries each is held, so that what a sweep has taken in between is never made current.
import { mapWithLimit } from '../platform/concurrency.ts'
import { newBatchId } from './batch-id.ts'
import { type CatalogItem, type CatalogStore, TRANSACTION_ITEMS_MAX } from './catalog-store.ts'
import { changeBatch, HOLD_MS, refusePurged } from './change-batch.ts'
import {
  type Commit,
  checkReason,
  createOrLose,
  type CurrentPartition,
  logContended,
  type LogPorts,
  lookAtLog,
  nextOf,
  ROUNDS_MAX,
  waitForRound,
} from './commit-log.ts'
import { CatalogError } from './errors.ts'
import { keyReused } from './idempotency-key.ts'
import { type LogEntry, readLogEntry, toAttributes } from './items.ts'
import { logSortKey } from './layout.ts'
import { type PartitionRef, tableKey } from './names.ts'

/** Small calls to the catalogue in flight. */
const CALLS_MAX = 8

export interface PendingCommit {
  readonly ref: PartitionRef
  readonly commit: Commit
  /** As of appendToLog. */
  readonly after: number | undefined
}

/** Throws CatalogError `batch-purged`, `log-contended`, `transactions-unavailable`, `transaction-too-big`. */
export async function appendAllToLog(
  ports: LogPorts,
  pending: readonly PendingCommit[],
): Promise<readonly CurrentPartition[]> {
  const { store, clock, random } = ports
  checkTogether(pending.length)
  for (const { commit } of pending) checkReason(commit)
  const [first] = pending
  if (first === undefined) return []
  const token = newBatchId(clock(), random)
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const looks = await mapWithLimit(pending, CALLS_MAX, ({ ref, commit, after }) =>
      lookAtLog(store, ref, commit.batchId, after),
    )
    const committed = looks.flatMap(look => look.committed ?? [])
    if (committed.length === pending.length) return inPartitions(pending, committed)
    if (committed.length > 0) throw keyReused(first.ref, 'it commits some of these partitions without the others')
    await mapWithLimit(pending, CALLS_MAX, one => hold(ports, one))
    const at = Math.max(...looks.map(({ newest }) => nextOf(newest, clock()).at))
    const numbers = looks.map(({ newest }) => nextOf(newest, at).number)
    const items = pending.map((one, index) => itemOf(one, { number: numbers[index] ?? 1, at, token }))
    const outcome = await createOrLose(() => store.createAll(items))
    // Taken, perhaps by this very write: its answer may have been lost and the client has repeated it.
    if (outcome === 'created' || (await isOwn(store, items, token))) {
      return inPartitions(
        pending,
        items.map((item, index) => readLogEntry(item, pending[index]?.ref.partition ?? '')),
      )
    }
    await waitForRound(ports, round)
  }
  throw logContended(first.ref, first.commit.batchId)
}

/**
 * From now on a sweep leaves the batch alone, or this fails: its note and this are changes of one item, and its second look comes after the
 * note. Of several that end the batch at once one hold is enough.
 */
async function hold({ store, clock }: LogPorts, { ref, commit }: PendingCommit): Promise<void> {
  await changeBatch(store, ref, commit.batchId, record => {
    refusePurged(ref, record)
    const now = clock()
    return now - (record.heldAt ?? 0) < HOLD_MS / 2 ? undefined : { ...record, heldAt: now }
  })
}

/** All are there or none: the first tells. */
async function isOwn(store: CatalogStore, [first]: readonly CatalogItem[], token: string): Promise<boolean> {
  const taker = first && (await store.get(first.table, first.sk))
  return taker?.attributes['token'] === token
}

/** Throws CatalogError `transaction-too-big`. */
export function checkTogether(partitions: number): void {
  if (partitions <= TRANSACTION_ITEMS_MAX) return
  throw new CatalogError(
    `${partitions} partitions cannot be committed together: DynamoDB takes ${TRANSACTION_ITEMS_MAX}`,
    {
      code: 'transaction-too-big',
      next: `Store ${TRANSACTION_ITEMS_MAX} at a time, or each by itself; the calls are then not one commit.`,
    },
  )
}

function itemOf(
  { ref, commit }: PendingCommit,
  { number, at, token }: Pick<LogEntry, 'number' | 'at' | 'token'>,
): CatalogItem {
  const { kind, batchId, who, why } = commit
  const attributes = toAttributes({ kind, batchId, at, who, why, token })
  return { table: tableKey(ref), sk: logSortKey(ref.partition, number), attributes }
}

function inPartitions(pending: readonly PendingCommit[], entries: readonly LogEntry[]): readonly CurrentPartition[] {
  return entries.map((entry, index) => ({ partition: pending[index]?.ref.partition ?? '', entry }))
}
