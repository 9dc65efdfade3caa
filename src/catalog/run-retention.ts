// A run of retention over one table: what it would do is planned first, and is all that a dry run does.
import type { TableRef } from './names.ts'
import { tableKey } from './names.ts'
import {
  bytesOf,
  objectsOf,
  type PurgedBatch,
  purgeBatches,
  type PurgePorts,
  unfinishedPurge,
} from './purge-batches.ts'
import { keptBecause, type KeptBecause, type RetentionPolicy } from './retention.ts'
import { homeRecord, readPins, readTableBatches, type TableBatch } from './table-batches.ts'

export interface RetentionRequest {
  readonly policy: RetentionPolicy
  readonly who: string
  readonly why: string
  /** Tables whose batches name, as inputs, what they need kept: those of models. */
  readonly pinnedBy: readonly TableRef[]
  readonly isDryRun: boolean
  readonly batchesMax?: number
}

export interface RetentionReport {
  /** All that are committed and not purged, before this run. */
  readonly batches: number
  /** How many of them stay, by why. */
  readonly kept: Readonly<Partial<Record<KeptBecause, number>>>
  /** Of a dry run: would be. */
  readonly purged: readonly PurgedBatch[]
  /** What was free, and was relied on by the time that it was to go. */
  readonly returned: readonly { readonly partition: string; readonly batchId: string; readonly because: string }[]
  /** Batches that may go and that this run had no room for. */
  readonly left: number
}

/** Of one run: who keeps years of hours has the next run go on. */
const BATCHES_MAX = 10_000

/** Throws CatalogError, ObjectStoreError, and what the receipt throws. */
export async function runRetention(
  ports: PurgePorts,
  ref: TableRef,
  request: RetentionRequest,
): Promise<RetentionReport> {
  const { policy, who, why, pinnedBy, isDryRun, batchesMax = BATCHES_MAX } = request
  const pins = await readPins(ports, pinnedBy)
  const question = { table: tableKey(ref), policy, pins, nowMs: ports.clock() }
  const all = await readTableBatches(ports.store, ref)
  const because = keptBecause(all, question)
  const kept: Partial<Record<KeptBecause, number>> = {}
  const going: TableBatch[] = []
  let batches = 0
  for (const batch of all.batches.values()) {
    const isGone = homeRecord(batch)?.state === 'purged'
    const reason = isGone ? undefined : because(batch)
    if (!isGone && reason !== 'uncommitted') batches++
    if (reason !== undefined && reason !== 'uncommitted') kept[reason] = (kept[reason] ?? 0) + 1
    // A note of a run that died, of a batch that is wanted again, is taken back; bytes that are left of one that is gone are removed.
    const isToGo = isGone ? unfinishedPurge(batch) !== undefined : reason === undefined
    if (isToGo || (!isGone && unfinishedPurge(batch) !== undefined)) going.push(batch)
  }
  const now = going.slice(0, batchesMax)
  const counted = { batches, kept, left: going.length - now.length }
  if (isDryRun) {
    const free = now.filter(batch => homeRecord(batch)?.state === 'purged' || because(batch) === undefined)
    return { ...counted, purged: await wouldGo(ports, free), returned: [] }
  }
  const { purged, kept: returned } = await purgeBatches(ports, ref, {
    batches: now,
    who,
    why,
    keptBecause: fresh => keptBecause(fresh, question),
  })
  return { ...counted, purged, returned }
}

async function wouldGo({ objects }: PurgePorts, batches: readonly TableBatch[]): Promise<readonly PurgedBatch[]> {
  const would: PurgedBatch[] = []
  for (const batch of batches) {
    const own = await objectsOf(objects, batch.location)
    const rows = homeRecord(batch)?.rows ?? 0
    would.push({ partition: batch.home, batchId: batch.batchId, rows, objects: own.length, bytes: bytesOf(own) })
  }
  return would
}
