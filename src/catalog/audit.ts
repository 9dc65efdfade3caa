// Who changed what of a table, when and why: commits, rollbacks, promotions, yanks, anchors, releases, purges and policies, in one order.
// Nothing is written for it: each of these leaves its own note.
import type { CatalogItem, CatalogStore } from './catalog-store.ts'
import { type LogEntry, type Note, readBatchRecord, readLogEntry, readYank } from './items.ts'
import {
  BATCHES_PREFIX,
  LOGS_PREFIX,
  partitionOfBatch,
  partitionOfLog,
  placeOfLocation,
  RETENTIONS_PREFIX,
  YANKS_PREFIX,
} from './layout.ts'
import { type TableRef, tableKey } from './names.ts'
import { policyText, readRetention } from './retention.ts'

export interface AuditEntry extends Note {
  /** `db.table` */
  readonly table: string
  readonly kind: LogEntry['kind'] | 'yank' | 'anchor' | 'release' | 'purge' | 'retention'
  /** Null: of the table. */
  readonly partition: string | null
  /** Null: of no batch. */
  readonly batchId: string | null
  /** Of a log entry its number, of an anchor its name, of a policy what is kept. */
  readonly about: string | null
}

export interface AuditOptions {
  /** Nothing before it, ms. */
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
}

/** Oldest first; what happened in one millisecond by kind and place. */
export async function readAudit(
  store: CatalogStore,
  refs: readonly TableRef[],
  { sinceMs = 0, untilMs = Number.POSITIVE_INFINITY }: AuditOptions = {},
): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = []
  for (const ref of refs) {
    for (const [prefix, read] of READERS) {
      for await (const item of store.list(tableKey(ref), prefix)) {
        entries.push(...read(item).filter(({ at }) => at >= sinceMs && at <= untilMs))
      }
    }
  }
  // Each table and partition came in its own order, which a stable sort keeps.
  return entries.sort((a, b) => a.at - b.at)
}

const READERS: readonly (readonly [string, (item: CatalogItem) => readonly AuditEntry[]])[] = [
  [RETENTIONS_PREFIX, retentionEntries],
  [LOGS_PREFIX, logEntries],
  [BATCHES_PREFIX, batchEntries],
  [YANKS_PREFIX, yankEntries],
]

function logEntries(item: CatalogItem): AuditEntry[] {
  const partition = partitionOfLog(item.sk)
  const { number, kind, batchId, at, who, why } = readLogEntry(item, partition)
  return [{ at, table: item.table, kind, partition, batchId, about: String(number), who, why }]
}

function batchEntries(item: CatalogItem): AuditEntry[] {
  const partition = partitionOfBatch(item.sk)
  const { batchId, location, anchors = {}, released = [], purged } = readBatchRecord(item)
  const of = (kind: AuditEntry['kind'], about: string | null, { at, who, why }: Note): AuditEntry => ({
    at,
    table: item.table,
    kind,
    partition,
    batchId,
    about,
    who,
    why,
  })
  const isHome = (placeOfLocation(location)?.partition ?? partition) === partition
  return [
    ...Object.entries(anchors).map(([anchor, note]) => of('anchor', anchor, note)),
    ...released.flatMap(({ anchor, set, released: note }) => [of('anchor', anchor, set), of('release', anchor, note)]),
    // A batch of several partitions is purged once.
    ...(purged !== undefined && isHome ? [of('purge', null, purged)] : []),
  ]
}

function yankEntries(item: CatalogItem): AuditEntry[] {
  const { batchId, at, who, why } = readYank(item)
  return [{ at, table: item.table, kind: 'yank', partition: null, batchId, about: null, who, why }]
}

function retentionEntries(item: CatalogItem): AuditEntry[] {
  const { at, who, why, ...policy } = readRetention(item)
  return [
    { at, table: item.table, kind: 'retention', partition: null, batchId: null, about: policyText(policy), who, why },
  ]
}
