// Orphans: what a writer that died left under a table's prefix, or a batch that was never committed. Nobody reads them. What is older than
// the grace is listed, and removed when asked: the place is taken by an item that says so first, so that a writer who wakes up after all
// cannot commit a batch whose parts are gone.
import { DAY_MS } from '../platform/duration.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { batchIdTimeMs } from './batch-id.ts'
import type { CatalogItem } from './catalog-store.ts'
import { type BatchRecord, type Note, toAttributes } from './items.ts'
import { batchSortKey, MANIFEST_NAME, placeOfLocation } from './layout.ts'
import { type TableRef, tableKey } from './names.ts'
import { purgeBatches, type PurgePorts, type PurgeResult } from './purge-batches.ts'
import { isHeld } from './retention.ts'
import { homeRecord, isAnchored, readTableBatches, type TableBatch, type TableBatches } from './table-batches.ts'

/** The longest writer is a function of fifteen minutes, or a command line that somebody left overnight. */
export const SWEEP_GRACE_MS = DAY_MS

export interface SweepRequest extends Omit<Note, 'at'> {
  /** Where something younger is under a batch's location, its writer may be at work. */
  readonly graceMs: number
  readonly isDeleting: boolean
}

/** `purged`: objects that came back after a purge, or that one which died has left. */
export type OrphanKind = 'no-item' | 'not-committed' | 'purged'

export interface Orphan {
  readonly partition: string
  readonly batchId: string
  readonly location: string
  readonly kind: OrphanKind
  readonly objects: number
  readonly bytes: number
  /** When the newest of its objects was written, ms. */
  readonly newestMs: number
}

export interface SweepReport {
  /** All under the table's prefix. */
  readonly objects: number
  readonly bytes: number
  readonly orphans: readonly Orphan[]
  /** Orphans by now, within the grace. */
  readonly young: number
  /** Keys that are no object of a batch: nobody touches them. */
  readonly strangers: readonly string[]
  /** Only where it is deleting. */
  readonly removed: PurgeResult['purged']
  /** Somebody committed them meanwhile. */
  readonly returned: PurgeResult['kept']
}

/** Examples, to look at. */
const STRANGERS_MAX = 20

/** Throws CatalogError, ObjectStoreError, and what the receipt throws. */
export async function sweepTable(ports: PurgePorts, ref: TableRef, request: SweepRequest): Promise<SweepReport> {
  const olderMs = ports.clock() - request.graceMs
  // Objects before items, items before logs: what is committed meanwhile is seen as committed.
  const { places, ...listed } = await listPlaces(ports.objects, ref)
  const all = await readTableBatches(ports.store, ref)
  const found = [...places.values()].flatMap(place => {
    const kind = orphanKind(place, all)
    return kind === undefined ? [] : [{ ...place, kind, batch: all.batches.get(place.location) }]
  })
  const isOld = ({ newestMs, batch }: (typeof found)[number]): boolean =>
    newestMs <= olderMs && (batch === undefined || (homeRecord(batch)?.at ?? 0) <= olderMs)
  const old = found.filter(isOld)
  const orphans = old.map(({ batch: _batch, ...orphan }): Orphan => orphan)
  const report = { ...listed, orphans, young: found.length - old.length }
  if (!request.isDeleting || old.length === 0) return { ...report, removed: [], returned: [] }
  const going: TableBatch[] = []
  for (const { batch, ...orphan } of old) {
    const target = batch ?? (await takePlace(ports, ref, { orphan, request }))
    if (target !== undefined) going.push(target)
  }
  const { who, why } = request
  const keptBecause = (fresh: TableBatches) => neededBecause(fresh, ports.clock())
  const { purged, kept } = await purgeBatches(ports, ref, { batches: going, who, why, keptBecause })
  return { ...report, removed: purged, returned: kept }
}

type Place = Omit<Orphan, 'kind'>

async function listPlaces(objects: ObjectStore, { db, table }: TableRef) {
  const places = new Map<string, Place>()
  const counts = { objects: 0, bytes: 0 }
  const strangers: string[] = []
  for await (const { key, bytes, createdMs } of objects.list(`${db}/${table}/`)) {
    counts.objects++
    counts.bytes += bytes
    const location = key.slice(0, key.lastIndexOf('/') + 1)
    const place = placeOfLocation(location)
    if (place === undefined) {
      if (strangers.length < STRANGERS_MAX) strangers.push(key)
      continue
    }
    const { partition, batchId } = place
    const before = places.get(location) ?? { partition, batchId, location, objects: 0, bytes: 0, newestMs: 0 }
    const newestMs = Math.max(before.newestMs, createdMs)
    places.set(location, { ...before, objects: before.objects + 1, bytes: before.bytes + bytes, newestMs })
  }
  return { ...counts, strangers, places }
}

function orphanKind({ location, batchId }: Place, { batches, unresolved }: TableBatches): OrphanKind | undefined {
  const batch = batches.get(location)
  if (batch === undefined) return unresolved.has(batchId) ? undefined : 'no-item'
  if (homeRecord(batch)?.state === 'purged') return 'purged'
  return batch.namedIn.size > 0 || isAnchored(batch) || unresolved.has(batchId) ? undefined : 'not-committed'
}

/** A writer who ends what was begun holds it first. */
function neededBecause({ unresolved }: TableBatches, nowMs: number): (batch: TableBatch) => string | undefined {
  return batch => {
    if (batch.namedIn.size > 0 || unresolved.has(batch.batchId)) return 'committed'
    if (isAnchored(batch)) return 'anchored'
    return isHeld(batch, nowMs) ? 'held' : undefined
  }
}

/** The item of a batch that there never was: purged from the start. Undefined where a writer has made its own by now. */
async function takePlace(
  { store, clock }: PurgePorts,
  ref: TableRef,
  { orphan, request }: { readonly orphan: Orphan; readonly request: SweepRequest },
): Promise<TableBatch | undefined> {
  const { batchId, location, partition, objects, bytes } = orphan
  const at = clock()
  const record: BatchRecord = {
    batchId,
    location,
    format: 'unknown',
    parts: objects,
    rows: 0,
    bytes,
    manifestKey: `${location}${MANIFEST_NAME}`,
    manifestSha256: '0'.repeat(64),
    inputs: [],
    state: 'purged',
    // As old as its objects, so that a sweep that dies is ended by the next one.
    at: batchIdTimeMs(batchId) ?? 0,
    who: request.who,
    purged: { at, who: request.who, why: request.why },
  }
  const item: CatalogItem = {
    table: tableKey(ref),
    sk: batchSortKey(partition, batchId),
    attributes: toAttributes(record),
  }
  if ((await store.create(item)) === 'exists') return undefined
  return { batchId, location, home: partition, records: new Map([[partition, record]]), namedIn: new Set() }
}
