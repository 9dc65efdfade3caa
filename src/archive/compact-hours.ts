// Compaction: a closed hour's raw objects, which are small and overlap, as one batch of the catalogue with each record once, parted
// by user bucket and sorted. Raw objects stay as they are; what arrives late for an hour makes a new batch of it.
import { newBatchId } from '../catalog/batch-id.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { LoadedBatch } from '../catalog/load-batch.ts'
import { tableKey } from '../catalog/names.ts'
import type { PartInput } from '../catalog/upload-parts.ts'
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import type { Clock } from '../platform/clock.ts'
import { userBucket } from '../platform/hash.ts'
import { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { Random } from '../platform/random.ts'
import { sortLines } from '../platform/sort-lines.ts'
import { ArchiveError } from './errors.ts'
import { type Forgotten, readForgotten } from './forgotten.ts'
import {
  bucketOfPart,
  bucketPartName,
  EVENTS_TABLE,
  HISTORY_FORMAT,
  hourOfPartition,
  hourPartition,
} from './history-tables.ts'
import { lineParts, linesOfPart } from './line-parts.ts'
import { isToCompact } from './plan-compaction.ts'
import { type HourObjects, listRawHours, readRawHour } from './raw-hours.ts'
import { recordLine } from './raw-object.ts'

export interface CompactPorts {
  readonly catalog: Catalog
  readonly archive: ObjectStore
  readonly db: string
  /** Made and removed by the caller; one hour's records lie there, compressed. */
  readonly spoolDir: string
  readonly clock: Clock
  readonly random: Random
}

export interface CompactOptions {
  readonly who: string
  readonly why: string
  readonly isDryRun?: boolean
  /** No further hour is begun once it says so; one is always done, so that every run gets further. */
  readonly isTimeUp?: () => boolean
  readonly onHour?: (hour: CompactedHour) => void
}

export interface CompactedHour {
  /** `hour=2026-01-02T12` */
  readonly partition: string
  /** Undefined in a dry run. */
  readonly batchId: string | undefined
  /** Raw objects that the batch before did not contain. */
  readonly rawObjects: number
  /** In the batch; undefined in a dry run. */
  readonly records: number | undefined
}

export interface CompactReport {
  readonly hours: readonly CompactedHour[]
  /** Of the plan, not looked at any more as time was up. */
  readonly hoursLeft: number
}

/**
 * Throws ObjectStoreError, CatalogError; and ArchiveError for an hour with a damaged object, once all other hours are done. Hours
 * that were committed until then stay.
 */
export async function compactHours(ports: CompactPorts, options: CompactOptions): Promise<CompactReport> {
  const { catalog, archive, db, clock } = ports
  // First the time, then the listing: a batch is named by it, and contains whatever was created before.
  const listedMs = clock()
  const forgotten = await readForgotten(archive)
  const current = new Map(
    (await catalog.partitions({ db, table: EVENTS_TABLE })).map(({ partition, entry }) => [
      hourOfPartition(partition),
      entry,
    ]),
  )
  const hours: CompactedHour[] = []
  const damaged: ArchiveError[] = []
  let hoursLeft = 0
  for await (const { hour, raw } of listRawHours(archive)) {
    const entry = current.get(hour)
    const newestMs = [...raw.values()].reduce((newest, createdMs) => Math.max(newest, createdMs), 0)
    if (!isToCompact({ hour, newestMs, batchId: entry?.batchId }, listedMs)) continue
    if (hours.length > 0 && options.isTimeUp?.() === true) {
      hoursLeft++
      continue
    }
    try {
      const compacted = await compactHour(ports, { hour, raw, entry, listedMs, forgotten }, options)
      if (compacted === undefined) continue
      hours.push(compacted)
      options.onHour?.(compacted)
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error
      damaged.push(error)
    }
  }
  if (damaged[0] !== undefined) throw damaged[0]
  return { hours, hoursLeft }
}

interface HourInput extends HourObjects {
  readonly entry: LogEntry | undefined
  readonly listedMs: number
  readonly forgotten: Forgotten
}

async function compactHour(
  ports: CompactPorts,
  { hour, raw, entry, listedMs, forgotten }: HourInput,
  { who, why, isDryRun }: CompactOptions,
): Promise<CompactedHour | undefined> {
  const ref = { db: ports.db, table: EVENTS_TABLE, partition: hourPartition(hour) }
  const before = entry === undefined ? undefined : await ports.catalog.load(ref, entry.batchId)
  const contained = before?.manifest.contains ?? []
  const known = new Set(contained)
  const missing = new Map([...raw].filter(([key]) => !known.has(key)))
  if (missing.size === 0) return undefined
  const { partition } = ref
  if (isDryRun === true) return { partition, batchId: undefined, rawObjects: missing.size, records: undefined }
  const spool = new LineSpool(ports.spoolDir, `hour-${hour}`)
  try {
    await ports.catalog.createTable(ref, { columns: [], format: HISTORY_FORMAT, owner: ports.db })
    const raws = readRawHour(ports.archive, missing, contained)
    const records = await spoolHour(spool, { before, records: raws, forgotten })
    const { batchId } = await ports.catalog.store(ref, {
      parts: sortedParts(spool, ports.spoolDir),
      who,
      why,
      batchId: newBatchId(listedMs, ports.random),
      inputs: before === undefined ? [] : [{ table: tableKey(ref), partition, batchId: before.entry.batchId }],
      contains: [...contained, ...missing.keys()].sort(),
    })
    return { partition, batchId, rawObjects: missing.size, records }
  } finally {
    spool.remove()
  }
}

interface HourContent {
  readonly before: LoadedBatch | undefined
  readonly records: AsyncIterable<StreamRecord>
  readonly forgotten: Forgotten
}

/** The batch before goes in as it is, so that nothing of it needs raw objects that may be gone one day. */
async function spoolHour(spool: LineSpool, { before, records, forgotten }: HourContent): Promise<number> {
  let count = 0
  if (before !== undefined) {
    for await (const part of before.parts()) {
      const bucket = bucketOfPart(part.name)
      if (bucket === undefined) throw new ArchiveError(part.name, 'is in a compacted hour and not of a bucket')
      for (const line of linesOfPart(part)) {
        if (forgotten.isAny && isForgotten(line, forgotten)) continue
        // A copy: the line is a view of the part, and a few waiting lines of each bucket would hold all parts in memory.
        spool.add(bucket, Buffer.from(line))
        count++
      }
    }
  }
  for await (const record of records) {
    if (forgotten.has(record.partitionKey, record.arrivalMs)) continue
    spool.add(userBucket(record.partitionKey), Buffer.from(JSON.stringify(recordLine(record))))
    count++
  }
  return count
}

function isForgotten(line: Uint8Array, forgotten: Forgotten): boolean {
  const { partitionKey, arrivalMs } = JSON.parse(Buffer.from(line).toString('utf8')) as StreamRecord
  return forgotten.has(partitionKey, arrivalMs)
}

async function* sortedParts(spool: LineSpool, folder: string): AsyncGenerator<PartInput> {
  for (const bucket of spool.slots()) {
    const sorted = sortLines(spool.lines(bucket), { read: readSortKey, compare: compareSortKeys, folder, name: 'sort' })
    yield* lineParts(linesOf(sorted), number => bucketPartName(bucket, number))
    spool.removeSlot(bucket)
  }
}

async function* linesOf(sorted: AsyncIterable<{ readonly line: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { line } of sorted) yield line
}

interface SortKey {
  readonly user: Buffer
  readonly stream: string
  readonly shard: string
  readonly sequence: string
}

/** Lines are our own, written a moment ago or verified by their part's hash. */
function readSortKey(line: Uint8Array): SortKey {
  const { partitionKey, stream, shard, sequence } = JSON.parse(Buffer.from(line).toString('utf8')) as StreamRecord
  return { user: Buffer.from(partitionKey), stream, shard, sequence }
}

/** Users in code point order, as UTF-8 sorts. */
function compareSortKeys(a: SortKey, b: SortKey): number {
  const byUser = a.user.compare(b.user)
  if (byUser !== 0) return byUser
  if (a.stream !== b.stream) return a.stream < b.stream ? -1 : 1
  if (a.shard !== b.shard) return a.shard < b.shard ? -1 : 1
  return compareSequences(a.sequence, b.sequence)
}
