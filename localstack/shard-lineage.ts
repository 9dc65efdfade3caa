// Which shards may be read: a child goes on where its parents ended, so it waits until everything in them is settled. The records
// of one key are delivered in order across a split or a merge then.
import type { MappedShard } from './mapped-stream.ts'
import type { ShardCounters } from './shard-counters.ts'

export interface KnownShard extends MappedShard {
  readonly counters: ShardCounters
}

/** Those that wait and need not; parents that have left the stream hold up nobody. */
export function shardsToOpen<Shard extends KnownShard>(
  known: ReadonlyMap<string, Shard>,
  listed: ReadonlySet<string>,
): Shard[] {
  const holdsUp = (parent: string): boolean => {
    const shard = known.get(parent)
    if (shard === undefined || shard.counters.state === 'finished') return false
    return listed.has(parent) || shard.counters.state !== 'waiting'
  }
  return [...known.values()].filter(
    ({ shard, parents, counters }) => counters.state === 'waiting' && listed.has(shard) && !parents.some(holdsUp),
  )
}
