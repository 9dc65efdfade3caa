// The raw objects by arrival hour, and the records of those that no compacted hour contains. A record's hour is part of the
// record, so repeats of it lie in objects of one hour only, and each hour can be read on its own.
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import { mapAhead, mapWithLimit } from '../platform/concurrency.ts'
import { groupBy } from '../platform/group-by.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { SHARDS_LISTED_MAX } from './archive-positions.ts'
import { listObjects, listShards, loadLines } from './list-objects.ts'
import { mergeBySequence } from './merge-by-sequence.ts'
import { type NamedObject, parseObjectName, type Shard, shardKey } from './object-name.ts'
import { isForgottenRecord, readRecordLine } from './raw-object.ts'

/** Objects fetched before their turn: latency is hidden, and some MB are held. */
const LOADS_AHEAD = 8

export interface HourObjects {
  /** `YYYYMMDDHH`, UTC. */
  readonly hour: string
  /** When each was created, by name. */
  readonly raw: ReadonlyMap<string, number>
}

interface Listing {
  readonly named: AsyncGenerator<NamedObject>
  next: NamedObject | undefined
}

/**
 * The raw objects of all shards hour by hour, ascending. Years of names are never in memory: one hour is, and a page of each
 * shard's listing. Throws ObjectStoreError, ArchiveError.
 */
export async function* listRawHours(objects: ObjectStore): AsyncGenerator<HourObjects> {
  const shards: Shard[] = []
  for await (const shard of listShards(objects, 'raw')) shards.push(shard)
  const listings = await mapWithLimit(shards, SHARDS_LISTED_MAX, async (shard): Promise<Listing> => {
    const named = listObjects(objects, 'raw', { shard })
    return { named, next: await nextNamed(named) }
  })
  for (let hour = earliest(listings); hour !== undefined; hour = earliest(listings)) {
    const raw = new Map<string, number>()
    await mapWithLimit(listings, SHARDS_LISTED_MAX, listing => takeHour(listing, hour ?? '', raw))
    yield { hour, raw }
  }
}

function earliest(listings: readonly Listing[]): string | undefined {
  let hour: string | undefined
  for (const { next } of listings) {
    if (next !== undefined && (hour === undefined || hourOfName(next) < hour)) hour = hourOfName(next)
  }
  return hour
}

async function takeHour(listing: Listing, hour: string, raw: Map<string, number>): Promise<void> {
  for (let { next } = listing; next !== undefined && hourOfName(next) === hour; { next } = listing) {
    raw.set(next.key, next.createdMs)
    listing.next = await nextNamed(listing.named)
  }
}

async function nextNamed(named: AsyncGenerator<NamedObject>): Promise<NamedObject | undefined> {
  const { done, value } = await named.next()
  return done === true ? undefined : value
}

/** Every raw object has one. */
function hourOfName({ hour = '' }: NamedObject): string {
  return hour
}

/**
 * The records of one hour's raw objects, each once, by stream, shard and sequence; without those that are in the objects
 * `contained` too, which are of the same hour and are not read. Throws ObjectStoreError, ArchiveError.
 */
export async function* readRawHour(
  objects: ObjectStore,
  raw: ReadonlyMap<string, number>,
  contained: readonly string[],
): AsyncGenerator<StreamRecord> {
  const named = [...raw].map(([key, createdMs]) => parseObjectName({ key, createdMs }))
  const isContained = containment(contained)
  const shards = [...groupBy(named, shardKey)].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [, shard] of shards) {
    const inOrder = shard.sort((a, b) => compareSequences(a.first, b.first))
    const loaded = mapAhead(inOrder, LOADS_AHEAD, async object =>
      (await loadLines(objects, object)).map(readRecordLine),
    )
    // The merge asks for them in this very order.
    for await (const record of mergeBySequence(each(inOrder), () => nextOf(loaded))) {
      if (!isForgottenRecord(record) && !isContained(record)) yield record
    }
  }
}

/** A run of one hour has every record of that hour between its first and its last. */
function containment(keys: readonly string[]): (record: StreamRecord) => boolean {
  const named = keys.map(key => parseObjectName({ key, createdMs: 0 }))
  const ranges = new Map([...groupBy(named, shardKey)].map(([key, objects]) => [key, disjoint(objects)]))
  return record => {
    const ofShard = ranges.get(shardKey(record)) ?? []
    let [from, to] = [0, ofShard.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (compareSequences(ofShard[middle]?.last ?? '', record.sequence) < 0) from = middle + 1
      else to = middle
    }
    const range = ofShard[from]
    return range !== undefined && compareSequences(range.first, record.sequence) <= 0
  }
}

type Range = Pick<NamedObject, 'first' | 'last'>

function disjoint(objects: readonly NamedObject[]): readonly Range[] {
  const ranges: { first: string; last: string }[] = []
  for (const { first, last } of objects.toSorted((a, b) => compareSequences(a.first, b.first))) {
    const before = ranges.at(-1)
    if (before === undefined || compareSequences(first, before.last) > 0) ranges.push({ first, last })
    else if (compareSequences(last, before.last) > 0) before.last = last
  }
  return ranges
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

async function nextOf<T>(items: AsyncIterator<T, unknown>): Promise<T> {
  const { done, value } = await items.next()
  if (done === true) throw new Error('as many are loaded as are named')
  return value
}
