// The archive read back: each record once, in the order of its shard, in the memory of a few objects.
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { listObjects, listShards, loadLines } from './list-objects.ts'
import { mergeBySequence } from './merge-by-sequence.ts'
import { hourOf, type NamedObject, type Shard } from './object-name.ts'
import { readRecordLine } from './raw-object.ts'

/** By arrival, ms; all of it unless given. */
export interface ArchiveRange {
  /** Inclusive. */
  readonly fromMs?: number
  /** Exclusive. */
  readonly toMs?: number
}

/** One shard after the other. Throws ObjectStoreError, ArchiveError. */
export async function* readArchive(objects: ObjectStore, range: ArchiveRange = {}): AsyncGenerator<StreamRecord> {
  for await (const shard of listShards(objects, 'raw')) yield* readArchivedShard(objects, shard, range)
}

/** Ascending by sequence, as long as arrival times of one shard are out of order by less than an hour. */
export async function* readArchivedShard(
  objects: ObjectStore,
  shard: Shard,
  range: ArchiveRange = {},
): AsyncGenerator<StreamRecord> {
  const { fromMs = 0, toMs = Number.POSITIVE_INFINITY } = range
  const named = byFirstSequence(withinHours(listObjects(objects, 'raw', { shard, fromHour: hourOf(fromMs) }), toMs))
  const records = mergeBySequence(named, async object => (await loadLines(objects, object)).map(readRecordLine))
  for await (const record of records) {
    if (record.arrivalMs >= fromMs && record.arrivalMs < toMs) yield record
  }
}

async function* withinHours(objects: AsyncIterable<NamedObject>, toMs: number): AsyncGenerator<NamedObject> {
  const lastHour = Number.isFinite(toMs) ? hourOf(Math.max(0, toMs - 1)) : undefined
  for await (const object of objects) {
    if (lastHour !== undefined && object.hour !== undefined && object.hour > lastHour) return
    yield object
  }
}

/**
 * Keys are ordered by hour first, and around the turn of an hour arrival times need not follow sequences. So the names of two
 * hours are held: those of the hour that is over go out, merged with what the next hour has before them.
 */
async function* byFirstSequence(objects: AsyncIterable<NamedObject>): AsyncGenerator<NamedObject> {
  let over: NamedObject[] = []
  let current: NamedObject[] = []
  for await (const object of objects) {
    if (current[0] !== undefined && object.hour !== current[0].hour) {
      const { out, rest } = splitMerged(over, current)
      yield* out
      over = rest
      current = []
    }
    current.push(object)
  }
  yield* [...over, ...current].sort(compareFirst)
}

/** Everything up to the last name of the hour that is over. */
function splitMerged(over: readonly NamedObject[], current: readonly NamedObject[]) {
  const merged = [...over, ...current].sort(compareFirst)
  const overKeys = new Set(over.map(object => object.key))
  const end = merged.findLastIndex(object => overKeys.has(object.key)) + 1
  return { out: merged.slice(0, end), rest: merged.slice(end) }
}

function compareFirst(a: NamedObject, b: NamedObject): number {
  return compareSequences(a.first, b.first)
}
