// Retention: which batches of a table may lose their bytes. The policy is an item of the table, numbered and never overwritten, so that
// who let batches go, and since when, is part of the audit. What is named in history stays named: only its bytes go.
import * as z from 'zod/mini'
import type { Json } from '../platform/canonical-json.ts'
import type { Clock } from '../platform/clock.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../platform/duration.ts'
import type { CatalogItem, CatalogStore } from './catalog-store.ts'
import { HOLD_MS } from './change-batch.ts'
import { checkReason } from './commit-log.ts'
import { CatalogError } from './errors.ts'
import type { LogEntry, Note } from './items.ts'
import { RETENTIONS_PREFIX, retentionSortKey } from './layout.ts'
import { type TableRef, tableKey } from './names.ts'
import {
  homeRecord,
  isAnchored,
  isCurrent,
  isPinned,
  type Pins,
  type TableBatch,
  type TableBatches,
} from './table-batches.ts'
import { existingTable } from './table-schema.ts'

/** A batch goes where neither keeps it. Of neither given all stay. */
export interface RetentionPolicy {
  /** So many batches of each partition that are not purged, by when they were last made current. */
  readonly keepBatches?: number | undefined
  /** What was current within this time, ms. */
  readonly keepMs?: number | undefined
}

export interface Retention extends RetentionPolicy, Note {
  readonly number: number
}

/** A log entry names it, nothing keeps it, and a hold of an hour is over. */
export type KeptBecause =
  | 'current'
  | 'anchored'
  | 'newest'
  | 'recent'
  | 'pinned'
  | 'held'
  | 'uncommitted'
  | 'unresolved'

export interface RetentionQuestion {
  /** `db.table` */
  readonly table: string
  readonly policy: RetentionPolicy
  readonly pins: Pins
  readonly nowMs: number
}

/** Receipts say what was removed, definitions what was deployed: small, and nobody can make them again. */
const NEVER_DBS = new Set(['removals', 'definitions'])
/** Each lost round means that somebody else set the policy of this table in between. */
const ROUNDS_MAX = 10
const KEEP_MAX = 1_000_000

const whole = z.number().check(z.int(), z.gte(0))
const attributesSchema = z.object({
  keepBatches: z.optional(whole),
  keepMs: z.optional(whole),
  at: whole,
  who: z.string(),
  why: z.string(),
})

/** Why each batch that retention does not take stays; the others may go. Purged ones are not asked about. */
export function keptBecause(
  all: TableBatches,
  question: RetentionQuestion,
): (batch: TableBatch) => KeptBecause | undefined {
  const { newest, recent } = wantedByLogs(all, question)
  return batch => {
    if (all.unresolved.has(batch.batchId)) return 'unresolved'
    if (batch.namedIn.size === 0) return 'uncommitted'
    if (isCurrent(batch, all)) return 'current'
    if (isAnchored(batch)) return 'anchored'
    const { keepBatches, keepMs } = question.policy
    if (newest.has(batch.location) || (keepBatches === undefined && keepMs === undefined)) return 'newest'
    if (recent.has(batch.location)) return 'recent'
    if (isPinned(batch, question.table, question.pins)) return 'pinned'
    return isHeld(batch, question.nowMs) ? 'held' : undefined
  }
}

export function isHeld(batch: TableBatch, nowMs: number): boolean {
  const heldAt = homeRecord(batch)?.heldAt
  return heldAt !== undefined && nowMs < heldAt + HOLD_MS
}

/** Locations that some partition's log keeps: one that is old in its own may be new in another. */
function wantedByLogs(
  { batches, logs }: TableBatches,
  { policy, nowMs }: RetentionQuestion,
): { readonly newest: ReadonlySet<string>; readonly recent: ReadonlySet<string> } {
  const located = new Map<string, TableBatch>()
  for (const batch of batches.values())
    for (const partition of batch.records.keys()) located.set(`${partition}#${batch.batchId}`, batch)
  const newest = new Set<string>()
  const recent = new Set<string>()
  for (const [partition, log] of logs) {
    const own = new Set<string>()
    for (const [entry, untilMs] of newestFirst(log)) {
      const batch = located.get(`${partition}#${entry.batchId}`)
      if (batch === undefined || homeRecord(batch)?.state === 'purged') continue
      if (own.size < (policy.keepBatches ?? 0)) own.add(batch.location)
      if (policy.keepMs !== undefined && untilMs > nowMs - policy.keepMs) recent.add(batch.location)
    }
    for (const location of own) newest.add(location)
  }
  return { newest, recent }
}

/** Each entry with the instant until which it was current. */
function* newestFirst(log: readonly LogEntry[]): Generator<readonly [LogEntry, number]> {
  let untilMs = Number.POSITIVE_INFINITY
  for (const entry of log.toReversed()) {
    yield [entry, untilMs]
    untilMs = entry.at
  }
}

/** `the newest 30 and 90 days of each partition` */
export function policyText({ keepBatches, keepMs }: RetentionPolicy): string {
  const kept = [
    ...(keepBatches === undefined ? [] : [`the newest ${keepBatches}`]),
    ...(keepMs === undefined ? [] : [`what was current in the last ${describeMs(keepMs)}`]),
  ]
  return kept.length === 0 ? 'all batches' : `${kept.join(' and ')} of each partition`
}

function describeMs(ms: number): string {
  const [unit, name] = (
    [
      [DAY_MS, 'd'],
      [HOUR_MS, 'h'],
      [MINUTE_MS, 'm'],
    ] as const
  ).find(([size]) => ms % size === 0) ?? [SECOND_MS, 's']
  return `${ms / unit}${name}`
}

/** Undefined: nobody ever set one, and nothing is purged. */
export async function findRetention(store: CatalogStore, ref: TableRef): Promise<Retention | undefined> {
  for await (const item of store.list(tableKey(ref), RETENTIONS_PREFIX, { isNewestFirst: true, limit: 1 })) {
    return readRetention(item)
  }
  return undefined
}

/** Throws CatalogError `retention-invalid`, `retention-refused`, `table-not-found`, `table-contended`. */
export async function setRetention(
  { store, clock }: { readonly store: CatalogStore; readonly clock: Clock },
  ref: TableRef,
  { keepBatches, keepMs, who, why }: RetentionPolicy & Omit<Note, 'at'>,
): Promise<Retention> {
  const table = tableKey(ref)
  checkReason({ who, why })
  checkRetention(ref, { keepBatches, keepMs })
  await existingTable(store, ref)
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const before = await findRetention(store, ref)
    const number = (before?.number ?? 0) + 1
    const note: Note = { at: Math.max(clock(), before?.at ?? 0), who, why }
    const attributes: Record<string, Json> = {
      ...(keepBatches === undefined ? {} : { keepBatches }),
      ...(keepMs === undefined ? {} : { keepMs }),
      ...note,
    }
    if ((await store.create({ table, sk: retentionSortKey(number), attributes })) === 'created')
      return { number, keepBatches, keepMs, ...note }
  }
  throw new CatalogError(`Others keep setting what ${table} keeps`, {
    code: 'table-contended',
    retriable: true,
    next: 'Try again.',
    table,
  })
}

/** Throws CatalogError `retention-invalid`, `retention-refused`. */
export function checkRetention(ref: TableRef, { keepBatches, keepMs }: RetentionPolicy): void {
  const table = tableKey(ref)
  if (NEVER_DBS.has(ref.db)) {
    throw new CatalogError(`Nothing of ${table} is ever purged`, {
      code: 'retention-refused',
      next: 'Leave it: it says what was done, and takes little room.',
      table,
    })
  }
  const isRight = (value: number | undefined, max: number): boolean =>
    value === undefined || (Number.isSafeInteger(value) && value >= 1 && value <= max)
  if (isRight(keepBatches, KEEP_MAX) && isRight(keepMs, Number.MAX_SAFE_INTEGER)) return
  throw new CatalogError(`${table} cannot keep ${keepBatches ?? keepMs} of its batches`, {
    code: 'retention-invalid',
    next: 'Keep at least one batch, or a time of at least a second.',
    table,
  })
}

/** Throws CatalogError `catalog-item-corrupt`. */
export function readRetention(item: CatalogItem): Retention {
  const number = Number(item.sk.slice(RETENTIONS_PREFIX.length))
  const parsed = attributesSchema.safeParse(item.attributes)
  if (parsed.success && Number.isInteger(number)) return { number, ...parsed.data }
  throw new CatalogError(`The catalogue item ${item.table} ${item.sk} is no policy of retention`, {
    code: 'catalog-item-corrupt',
    next: 'Compare it with docs/retention.md.',
    table: item.table,
  })
}
