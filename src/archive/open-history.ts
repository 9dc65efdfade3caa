// History read back from wherever it lies: compacted hours and imports by the parts of one bucket, raw objects that no compacted
// hour contains by one pass that spools them into local files by bucket. What is held in memory is the names of those.
import type { Catalog } from '../catalog/catalog.ts'
import type { CurrentPartition } from '../catalog/commit-log.ts'
import type { BatchInput } from '../catalog/items.ts'
import type { LoadedBatch, LoadedPart, PartLocation } from '../catalog/load-batch.ts'
import type { ManifestPart } from '../catalog/manifest.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import type { TableRef } from '../catalog/names.ts'
import { byCodePoint } from '../platform/canonical-json.ts'
import { mapAhead } from '../platform/concurrency.ts'
import { userBucket, USER_BUCKETS } from '../platform/hash.ts'
import { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { archivePositions, raisePosition } from './archive-positions.ts'
import type { History, HistoryOptions, HistoryRecord } from './history.ts'
import { type Forgotten, readForgotten } from './forgotten.ts'
import { bucketOfPart, EVENTS_TABLE, hourOfPartition, importIdOf, IMPORTS_TABLE } from './history-tables.ts'
import { parseLine, unpackLines } from './line-file.ts'
import { linesOfPart } from './line-parts.ts'
import { parseObjectName } from './object-name.ts'
import { type HourObjects, listRawHours, readRawHour } from './raw-hours.ts'
import { readRecordLine, recordLine } from './raw-object.ts'

export interface HistoryPorts {
  readonly catalog: Catalog
  readonly archive: ObjectStore
  readonly db: string
  /** Made and removed by the caller; the view makes a folder of its own in it. */
  readonly spoolDir: string
}

/** Manifests and parts fetched before their turn. */
const LOADS_AHEAD = 8
/** The slot of parts that every bucket reads. */
const EVERY_BUCKET = USER_BUCKETS

/** What a bucket reads: a line of the index. */
interface IndexedPart {
  readonly kind: HistoryRecord['kind']
  /** Of an import, as items name it. */
  readonly importId: string
  readonly location: PartLocation
  readonly part: ManifestPart
}

/** Raw objects of one hour that its current batch does not contain, and those that it does. */
interface RawTail {
  readonly raw: ReadonlyMap<string, number>
  readonly contained: readonly string[]
}

/** Throws ObjectStoreError, CatalogError, ArchiveError. */
export async function openHistory(ports: HistoryPorts): Promise<History> {
  const { catalog, archive, db } = ports
  // In this order: whatever lies before a position, be it of an object or of one that a batch contains, was written before it,
  // so the second listing has it unless a batch contains it. That listing may have more, which is no harm.
  const positions = await archivePositions(archive)
  const hours = await catalog.partitions({ db, table: EVENTS_TABLE })
  const index = new LineSpool(ports.spoolDir, 'index')
  const inputs: BatchInput[] = []
  const tails: RawTail[] = []
  const batches = loadBatches(catalog, { db, table: EVENTS_TABLE }, hours)
  for await (const { batch, objects } of byHour(batches, listRawHours(archive))) {
    const raw = new Map(objects?.raw)
    const contained = batch?.manifest.contains ?? []
    for (const key of contained) {
      raisePosition(positions, parseObjectName({ key, createdMs: 0 }))
      raw.delete(key)
    }
    if (raw.size > 0) tails.push({ raw, contained })
    if (batch === undefined) continue
    addToIndex(index, batch, 'stream')
    inputs.push(inputOf(batch))
  }
  const imports: string[] = []
  const imported = { db, table: IMPORTS_TABLE }
  for await (const batch of loadBatches(catalog, imported, await catalog.partitions(imported))) {
    if (batch.record.rows === 0) continue
    addToIndex(index, batch, 'import')
    inputs.push(inputOf(batch))
    imports.push(importIdOf(batch.manifest))
  }
  const forgotten = await readForgotten(archive)
  return history({ ports, index, tails, forgotten }, { inputs, positions, imports: imports.sort(byCodePoint) })
}

async function* loadBatches(
  catalog: Catalog,
  table: TableRef,
  partitions: readonly CurrentPartition[],
): AsyncGenerator<LoadedBatch> {
  const load = async ({ partition, entry }: CurrentPartition): Promise<LoadedBatch> =>
    catalog.load({ ...table, partition }, entry.batchId)
  yield* mapAhead(partitions, LOADS_AHEAD, load)
}

interface ArchivedHour {
  readonly batch?: LoadedBatch
  readonly objects?: HourObjects
}

/** Batches and raw objects of the same hours, both ascending, side by side. */
async function* byHour(
  batches: AsyncIterable<LoadedBatch>,
  listed: AsyncGenerator<HourObjects>,
): AsyncGenerator<ArchivedHour> {
  let next = await listed.next()
  for await (const batch of batches) {
    const hour = hourOfPartition(batch.manifest.partition)
    for (; next.done !== true && next.value.hour < hour; next = await listed.next()) yield { objects: next.value }
    if (next.done === true || next.value.hour !== hour) yield { batch }
    else {
      yield { batch, objects: next.value }
      next = await listed.next()
    }
  }
  for (; next.done !== true; next = await listed.next()) yield { objects: next.value }
}

function inputOf({ manifest: { table, partition, batchId } }: LoadedBatch): BatchInput {
  return { table, partition, batchId }
}

function addToIndex(index: LineSpool, { manifest, record }: LoadedBatch, kind: HistoryRecord['kind']): void {
  const { batchId, location } = record
  for (const part of manifest.parts) {
    const indexed: IndexedPart = { kind, importId: importIdOf(manifest), location: { batchId, location }, part }
    index.add(bucketOfPart(part.name) ?? EVERY_BUCKET, Buffer.from(JSON.stringify(indexed)))
  }
}

interface Sources {
  readonly ports: HistoryPorts
  readonly index: LineSpool
  readonly tails: readonly RawTail[]
  readonly forgotten: Forgotten
}

function history(
  { ports, index, tails, forgotten }: Sources,
  view: Pick<History, 'inputs' | 'positions' | 'imports'>,
): History {
  const isWanted = wanted(forgotten)
  const spool = new LineSpool(ports.spoolDir, 'raw')
  let spooled: Promise<void> | undefined
  return {
    ...view,
    async *bucket(bucket, options = {}) {
      for (const slot of [bucket, EVERY_BUCKET]) {
        const parts = mapAhead(indexedParts(index, slot), LOADS_AHEAD, async ({ kind, importId, location, part }) => ({
          kind,
          importId,
          loaded: await ports.catalog.loadPart(location, part),
        }))
        for await (const { kind, importId, loaded } of parts) {
          if (kind === 'import') yield* importRecords(loaded, importId)
          else for (const each of streamRecords(loaded)) if (isWanted(each.record, options)) yield each
        }
      }
      // Once for all buckets, and only where somebody reads.
      await (spooled ??= spoolTails(ports.archive, tails, spool))
      for await (const line of spool.lines(bucket)) {
        const record = readRecordLine(parseLine(Buffer.from(line).toString('utf8'), 'spooled from raw/'))
        if (isWanted(record, options)) yield { kind: 'stream', record }
      }
    },
    close: async () => {
      index.remove()
      spool.remove()
    },
  }
}

async function* indexedParts(index: LineSpool, slot: number): AsyncGenerator<IndexedPart> {
  for await (const line of index.lines(slot)) yield JSON.parse(Buffer.from(line).toString('utf8')) as IndexedPart
}

function* importRecords(part: LoadedPart, batchId: string): Generator<HistoryRecord> {
  for (const payload of linesOfPart(part)) yield { kind: 'import', batchId, payload }
}

function* streamRecords({ body, name }: LoadedPart): Generator<HistoryRecord & { readonly kind: 'stream' }> {
  for (const record of unpackLines(body, name).map(readRecordLine)) yield { kind: 'stream', record }
}

/** What was forgotten may lie there still, or again. */
function wanted(forgotten: Forgotten): (record: StreamRecord, options: HistoryOptions) => boolean {
  return ({ partitionKey, arrivalMs }, { userIds }) =>
    (userIds === undefined || userIds.has(partitionKey)) && !(forgotten.isAny && forgotten.has(partitionKey, arrivalMs))
}

async function spoolTails(archive: ObjectStore, tails: readonly RawTail[], spool: LineSpool): Promise<void> {
  for (const { raw, contained } of tails) {
    for await (const record of readRawHour(archive, raw, contained)) {
      spool.add(userBucket(record.partitionKey), Buffer.from(JSON.stringify(recordLine(record))))
    }
  }
}
