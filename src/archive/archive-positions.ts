// How far the archive has come, shard by shard. Objects are written in the order of the stream and the first failure ends it, so
// the highest sequence of any name is the end of a prefix without gaps.
import { compareSequences } from '../event/stream-record.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { listObjects, listShards } from './list-objects.ts'
import { type NamedObject, type Shard, shardKey } from './object-name.ts'

/** Shards listed at once. */
export const SHARDS_LISTED_MAX = 8

/** The last archived sequence by `stream@epoch/shard`. Lists every raw object. Throws ObjectStoreError, ArchiveError. */
export async function archivePositions(objects: ObjectStore): Promise<Map<string, string>> {
  const positions = new Map<string, string>()
  const shards: Shard[] = []
  for await (const shard of listShards(objects, 'raw')) shards.push(shard)
  await mapWithLimit(shards, SHARDS_LISTED_MAX, async shard => {
    for await (const object of listObjects(objects, 'raw', { shard })) raisePosition(positions, object)
  })
  return positions
}

export function raisePosition(positions: Map<string, string>, object: NamedObject): void {
  const key = shardKey(object)
  const known = positions.get(key)
  if (known === undefined || compareSequences(object.last, known) > 0) positions.set(key, object.last)
}
