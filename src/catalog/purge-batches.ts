// Taking the bytes of batches away, in steps that a run which dies leaves for the next one: a note in the batch item (from then on nobody
// can make the batch current or anchor it), a second look at who needs it, the decision, the receipt, the objects, the end. The note and the
// decision are compare-and-sets of one item, the one of the partition that the batch was stored in, and who wants to rely on the batch
// changes that same item first: so one of the two fails, and nobody relies on what is gone.
import type { Clock } from '../platform/clock.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import type { ObjectInfo, ObjectRemover, ObjectStore } from '../platform/object-store.ts'
import type { CatalogStore } from './catalog-store.ts'
import { changeBatch } from './change-batch.ts'
import type { Note } from './items.ts'
import type { PartitionRef, TableRef } from './names.ts'
import { homeRecord, readTableBatches, type TableBatch, type TableBatches } from './table-batches.ts'

export interface PurgePorts {
  readonly store: CatalogStore
  readonly objects: ObjectStore
  readonly remover: ObjectRemover
  readonly clock: Clock
  /** Of what is about to be removed; nothing is before it has returned. Not called where there is nothing. */
  readonly writeReceipt: (objects: readonly ObjectInfo[]) => Promise<void>
}

export interface PurgeRequest {
  readonly batches: readonly TableBatch[]
  readonly who: string
  readonly why: string
  /** Asked of what is there after the notes were written: why a batch stays. */
  readonly keptBecause: (all: TableBatches) => (batch: TableBatch) => string | undefined
}

export interface PurgedBatch {
  readonly partition: string
  readonly batchId: string
  readonly rows: number
  /** Of its objects that were still there. */
  readonly objects: number
  readonly bytes: number
}

export interface PurgeResult {
  readonly purged: readonly PurgedBatch[]
  /** Somebody was first: they stay, and are as they were. */
  readonly kept: readonly { readonly partition: string; readonly batchId: string; readonly because: string }[]
}

/** Of one receipt and one second look: its objects are in memory, some 200 bytes each, and the table's items are read for it. */
const BATCHES_PER_RECEIPT = 1_000
const CALLS_IN_FLIGHT_MAX = 8

/** Batches that a run before this one has left half done are taken like all others. Throws CatalogError, ObjectStoreError. */
export async function purgeBatches(ports: PurgePorts, ref: TableRef, request: PurgeRequest): Promise<PurgeResult> {
  const purged: PurgedBatch[] = []
  const kept: PurgeResult['kept'][number][] = []
  for (let from = 0; from < request.batches.length; from += BATCHES_PER_RECEIPT) {
    const batches = request.batches.slice(from, from + BATCHES_PER_RECEIPT)
    const decided = await decide(ports, ref, { ...request, batches })
    for (const { batch, because } of decided) {
      if (because !== undefined) kept.push({ partition: batch.home, batchId: batch.batchId, because })
    }
    const going = decided.filter(({ because }) => because === undefined).map(({ batch }) => batch)
    purged.push(...(await removeObjects(ports, ref, going)))
  }
  return { purged, kept }
}

interface Decided {
  readonly batch: TableBatch
  /** Undefined: it goes. */
  readonly because: string | undefined
}

async function decide(ports: PurgePorts, ref: TableRef, request: PurgeRequest): Promise<readonly Decided[]> {
  await mapWithLimit(request.batches, CALLS_IN_FLIGHT_MAX, batch => mark(ports, ref, { batch, request }))
  const all = await readTableBatches(ports.store, ref)
  const because = request.keptBecause(all)
  return mapWithLimit(request.batches, CALLS_IN_FLIGHT_MAX, async before => {
    const batch = all.batches.get(before.location) ?? before
    const reason = isPurged(batch) ? undefined : because(batch)
    if (reason !== undefined) {
      await withdraw(ports, ref, batch)
      return { batch, because: reason }
    }
    const isDecided = await decideOne(ports, ref, batch)
    if (isDecided) await tellOtherPartitions(ports, ref, batch)
    return { batch, because: isDecided ? undefined : 'contended' }
  })
}

function isPurged(batch: TableBatch): boolean {
  return homeRecord(batch)?.state === 'purged'
}

async function mark(
  { store, clock }: PurgePorts,
  ref: TableRef,
  { batch, request: { who, why } }: { readonly batch: TableBatch; readonly request: PurgeRequest },
): Promise<void> {
  await changeBatch(store, homeOf(ref, batch), batch.batchId, home =>
    home.purged === undefined ? { ...home, purged: { at: clock(), who, why } } : undefined,
  )
}

async function withdraw({ store }: PurgePorts, ref: TableRef, batch: TableBatch): Promise<void> {
  await changeBatch(store, homeOf(ref, batch), batch.batchId, home => {
    if (home.state === 'purged' || home.purged === undefined) return undefined
    const { purged: _, ...without } = home
    return without
  })
}

/** Only what was looked at: a note that was withdrawn and written anew in between is another one. */
async function decideOne({ store }: PurgePorts, ref: TableRef, batch: TableBatch): Promise<boolean> {
  const seen = homeRecord(batch)
  const record = await changeBatch(store, homeOf(ref, batch), batch.batchId, home => {
    const isAsSeen = home.purged !== undefined && home.revision === seen?.revision
    return home.state === 'purged' || !isAsSeen ? undefined : { ...home, state: 'purged' }
  })
  return record.state === 'purged'
}

/** Readers of every partition that has the batch are told who and why; nothing of it is gone yet. */
async function tellOtherPartitions({ store }: PurgePorts, ref: TableRef, batch: TableBatch): Promise<void> {
  const note = homeRecord(batch)?.purged
  for (const partition of batch.records.keys()) {
    if (partition === batch.home || note === undefined) continue
    await changeBatch(store, { ...ref, partition }, batch.batchId, record =>
      record.state === 'purged' ? undefined : { ...record, state: 'purged', purged: note },
    )
  }
}

/** Whatever is left of them: a run that died may have removed some. */
async function removeObjects(
  ports: PurgePorts,
  ref: TableRef,
  batches: readonly TableBatch[],
): Promise<readonly PurgedBatch[]> {
  const found = await mapWithLimit(batches, CALLS_IN_FLIGHT_MAX, async batch => ({
    batch,
    objects: await objectsOf(ports.objects, batch.location),
  }))
  const objects = found.flatMap(each => each.objects)
  if (objects.length > 0) await ports.writeReceipt(objects)
  await mapWithLimit(objects, CALLS_IN_FLIGHT_MAX, ({ key }) => ports.remover.remove(key))
  return mapWithLimit(found, CALLS_IN_FLIGHT_MAX, async ({ batch, objects: own }) => {
    const { home, batchId } = batch
    const { rows } = await changeBatch(ports.store, homeOf(ref, batch), batchId, record =>
      record.removedAt === undefined ? { ...record, removedAt: ports.clock() } : undefined,
    )
    return { partition: home, batchId, rows, objects: own.length, bytes: bytesOf(own) }
  })
}

/** Not what lies deeper: a partition may be called as this one and go on with the name of this batch. */
export async function objectsOf(objects: ObjectStore, location: string): Promise<ObjectInfo[]> {
  const own: ObjectInfo[] = []
  for await (const info of objects.list(location)) if (!info.key.includes('/', location.length)) own.push(info)
  return own
}

export function bytesOf(objects: readonly ObjectInfo[]): number {
  return objects.reduce((sum, { bytes }) => sum + bytes, 0)
}

function homeOf(ref: TableRef, { home }: TableBatch): PartitionRef {
  return { ...ref, partition: home }
}

/** Who lets a batch go that is not gone yet, or of which something may be left. */
export function unfinishedPurge(batch: TableBatch): Note | undefined {
  const home = homeRecord(batch)
  return home?.removedAt === undefined ? home?.purged : undefined
}
