// History from day one: events that never were in the stream, in upstream's own JSON. They are kept as one batch of the catalogue,
// folded into new users by the same plan as live ones, and written once per user, with the batch named in each item's `imports`.
import { newBatchId } from '../catalog/batch-id.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import { checkArrival } from '../event/arrival.ts'
import { decodePayload, isRefusal } from '../event/decode.ts'
import type { RefusalReason } from '../event/decoded-event.ts'
import type { Clock } from '../platform/clock.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import type { Random } from '../platform/random.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { type Predictor, predictOne } from '../predictions/predictor.ts'
import { encodeNext } from '../recompute/item-content.ts'
import { WRITES_IN_FLIGHT_MAX } from '../recompute/limits.ts'
import type { NextItem } from '../recompute/plan-user.ts'
import { isCorrupt, type StoredItem, type UserStore } from '../store/user-item.ts'
import { HistoryFold } from './history-fold.ts'
import { LineParts } from './line-parts.ts'

/** Users whose predictions are made in one run. */
const USERS_PER_RUN = 500
const PROGRESS_EVENTS = 10_000

export interface ImportOptions {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly predictor: Predictor
  readonly catalog: Catalog
  readonly clock: Clock
  readonly random: Random
  readonly who: string
  readonly why: string
  readonly onProgress?: (progress: ImportProgress) => void
}

export interface ImportProgress {
  readonly events: number
  readonly users: number
  readonly usersWritten: number
}

export interface ImportReport extends ImportProgress {
  readonly batch: LogEntry
  readonly folded: number
  readonly duplicates: number
  /** Older than the type's lateness allows after what was folded before: sort the history by time. */
  readonly late: number
  /** Kept in the batch, folded into nobody. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>
  /** Users that exist already, or whose item would be too big: left alone. */
  readonly usersSkipped: number
}

export const IMPORTS_TABLE = 'imported_events'
const IMPORTS_PARTITION = 'all'

/** `payloads`: one event each, ascending by time. Throws CatalogError, ObjectStoreError, StoreError. */
export async function importHistory(
  payloads: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImportReport> {
  const fold = new HistoryFold(options.compiled)
  const parts = new LineParts()
  const refused: Partial<Record<RefusalReason, number>> = {}
  let events = 0
  for await (const payload of payloads) {
    parts.add(payload)
    const event = decodePayload(payload, options.compiled.contracts)
    const refusal = isRefusal(event)
      ? event
      : checkArrival(event, { partitionKey: event.userId, arrivalMs: options.clock() })
    if (refusal !== undefined) refused[refusal.reason] = (refused[refusal.reason] ?? 0) + 1
    else if (!isRefusal(event)) fold.add(event)
    if (++events % PROGRESS_EVENTS === 0) options.onProgress?.({ events, users: fold.size, usersWritten: 0 })
  }
  const batch = await storeBatch(parts, options)
  const written = await writeUsers(fold.finish(), batch.batchId, { options, events })
  return { batch, events, users: fold.size, ...fold.counts, refused, ...written }
}

/** Before any user names it. */
async function storeBatch(
  parts: LineParts,
  { catalog, compiled, clock, random, who, why }: ImportOptions,
): Promise<LogEntry> {
  const ref = { db: compiled.pipeline.name, table: IMPORTS_TABLE, partition: IMPORTS_PARTITION }
  await catalog.createTable(ref, { columns: [], format: 'ndjson.gz', owner: compiled.pipeline.name })
  return catalog.store(ref, { parts: parts.finish(), who, why, batchId: newBatchId(clock(), random) })
}

async function writeUsers(
  finished: readonly (readonly [string, NextItem])[],
  batchId: string,
  { options, events }: { readonly options: ImportOptions; readonly events: number },
): Promise<{ usersWritten: number; usersSkipped: number }> {
  const counts = { usersWritten: 0, usersSkipped: 0 }
  // One import is made with one version of each model.
  const predictor = await options.predictor.pinned()
  const { definitions } = options.compiled
  for (let start = 0; start < finished.length; start += USERS_PER_RUN) {
    const slice = finished.slice(start, start + USERS_PER_RUN)
    const predicted = await predictor.predict(slice.map(([, next]) => next.features))
    await mapWithLimit(slice, WRITES_IN_FLIGHT_MAX, async ([userId, next], index) => {
      const prediction = predicted[index] ?? (await predictOne(predictor, next.features))
      const item = encodeNext({ userId, before: undefined, next, definitions, imports: [batchId] }, prediction)
      const isWritten = !('reason' in item) && (await putFirst(options.users, item, batchId))
      counts[isWritten ? 'usersWritten' : 'usersSkipped']++
    })
    options.onProgress?.({ events, users: finished.length, usersWritten: counts.usersWritten })
  }
  return counts
}

/** A put whose answer was lost is found again: the item that is there names this very batch. */
async function putFirst(users: UserStore, item: StoredItem, batchId: string): Promise<boolean> {
  const put = await users.put(item, undefined)
  if (put.outcome === 'written') return true
  const { current } = put
  return current !== undefined && !isCorrupt(current) && current.imports.includes(batchId)
}
