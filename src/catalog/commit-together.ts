// Batches of several partitions that become visible at one instant: their log entries are created all or none, and all bear one time, so
// that a reader of many partitions who asks for an instant sees all of them or none.
import { mapWithLimit } from '../platform/concurrency.ts'
import { newBatchId } from './batch-id.ts'
import { type CatalogItem, TRANSACTION_ITEMS_MAX } from './catalog-store.ts'
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
import { type LogEntry, toAttributes } from './items.ts'
import { logSortKey } from './layout.ts'
import { type PartitionRef, tableKey } from './names.ts'

/** Small reads of the catalogue in flight. */
const READS_MAX = 8

export interface PendingCommit {
  readonly ref: PartitionRef
  readonly commit: Commit
  /** As of appendToLog. */
  readonly after: number | undefined
}

/** Throws CatalogError `log-contended`, `transactions-unavailable`, `transaction-too-big`. */
export async function appendAllToLog(
  ports: LogPorts,
  pending: readonly PendingCommit[],
): Promise<readonly CurrentPartition[]> {
  const { store, clock, random } = ports
  checkTogether(pending.length)
  for (const { commit } of pending) checkReason(commit)
  const token = newBatchId(clock(), random)
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const looks = await mapWithLimit(pending, READS_MAX, ({ ref, commit, after }) =>
      lookAtLog(store, ref, commit.batchId, after),
    )
    const committed = looks.flatMap(look => look.committed ?? [])
    const [first] = pending
    if (first === undefined || committed.length === pending.length) return together(pending, committed)
    if (committed.length > 0) throw keyReused(first.ref, 'it commits some of these partitions without the others')
    const at = Math.max(...looks.map(({ newest }) => nextOf(newest, clock()).at))
    const entries = pending.map(({ commit: { kind, batchId, who, why } }, index): LogEntry => {
      const { number } = nextOf(looks[index]?.newest, at)
      return { number, kind, batchId, at, who, why, token }
    })
    const items = pending.map(({ ref }, index) => itemOf(ref, entries[index]))
    if ((await createOrLose(() => store.createAll(items))) === 'created') return together(pending, entries)
    // Taken, perhaps by this very write: its answer may have been lost and the client has repeated it.
    const taker = items[0] && (await store.get(items[0].table, items[0].sk))
    if (taker?.attributes['token'] === token) return together(pending, entries)
    await waitForRound(ports, round)
  }
  const [contended] = pending
  throw logContended(contended?.ref ?? { db: '', table: '', partition: '' }, contended?.commit.batchId ?? '')
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

function itemOf(ref: PartitionRef, entry: LogEntry | undefined): CatalogItem {
  const { number = 0, ...attributes } = entry ?? ({} as LogEntry)
  return { table: tableKey(ref), sk: logSortKey(ref.partition, number), attributes: toAttributes(attributes) }
}

function together(pending: readonly PendingCommit[], entries: readonly LogEntry[]): readonly CurrentPartition[] {
  return entries.map((entry, index) => ({ partition: pending[index]?.ref.partition ?? '', entry }))
}
