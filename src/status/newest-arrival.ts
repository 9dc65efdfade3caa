// When the newest record arrived that the archive has, for the cost of a listing of the last hour and one object a shard.
import { listObjects, listShards, loadLines } from '../archive/list-objects.ts'
import { hourOf, type NamedObject, type Shard } from '../archive/object-name.ts'
import { readRecordLine } from '../archive/raw-object.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import { DAY_MS, HOUR_MS } from '../platform/duration.ts'
import type { ObjectStore } from '../platform/object-store.ts'

/** Looked at one after the other, so that a stream in use costs the listing of an hour or two. */
const LOOKBACKS_MS = [HOUR_MS, DAY_MS, 7 * DAY_MS]
const SHARDS_AT_ONCE_MAX = 8

/** Undefined: none in the last week. Throws ObjectStoreError, ArchiveError. */
export async function newestArrivalMs(archive: ObjectStore, nowMs: number): Promise<number | undefined> {
  const shards: Shard[] = []
  for await (const shard of listShards(archive, 'raw')) shards.push(shard)
  for (const lookbackMs of LOOKBACKS_MS) {
    const fromHour = hourOf(nowMs - lookbackMs)
    const newest = await mapWithLimit(shards, SHARDS_AT_ONCE_MAX, shard => lastOfShard(archive, shard, fromHour))
    const arrivals = newest.filter(arrivalMs => arrivalMs !== undefined)
    if (arrivals.length > 0) return Math.max(...arrivals)
  }
  return undefined
}

async function lastOfShard(archive: ObjectStore, shard: Shard, fromHour: string): Promise<number | undefined> {
  let last: NamedObject | undefined
  for await (const object of listObjects(archive, 'raw', { shard, fromHour })) last = object
  if (last === undefined) return undefined
  const arrivals = (await loadLines(archive, last)).map(line => readRecordLine(line).arrivalMs)
  return arrivals.reduce((newest, arrivalMs) => Math.max(newest, arrivalMs), 0)
}
