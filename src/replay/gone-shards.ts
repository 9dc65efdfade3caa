// Shards that bring the archive nothing more, as the stream has them no longer: what was folded from one and never archived is in
// the items alone, and waiting for it has no end.
import type { StreamTip } from '../event/stream-tip.ts'

/** Of a shard by `stream@epoch/shard`. It stays true once it is: what is gone does not come back. */
export type IsGone = (shardKey: string) => boolean

/** By the archive's own word: it has records of a later epoch of the stream. */
export function goneByEpoch(positions: ReadonlyMap<string, string>): IsGone {
  const newest = newestEpochs(positions)
  return key => {
    const { name, epoch } = parseKey(key)
    return epoch < (newest.get(name) ?? 0)
  }
}

/** And by the stream's: it does not list the shard any more. Throws EventStreamError. */
export async function goneShards(
  tip: StreamTip,
  { positions }: { readonly positions: ReadonlyMap<string, string> },
): Promise<IsGone> {
  const newest = newestEpochs(positions)
  const listed = new Set(await tip.shards())
  // Ids ascend: one beyond all that were listed is of a shard that has been made since.
  const youngest = [...listed].reduce((a, b) => (a > b ? a : b), '')
  return key => {
    const { name, epoch, shard } = parseKey(key)
    const now = newest.get(name) ?? 0
    if (epoch !== now || name !== tip.streamName) return epoch < now
    return !listed.has(shard) && shard < youngest
  }
}

function newestEpochs(positions: ReadonlyMap<string, string>): ReadonlyMap<string, number> {
  const newest = new Map<string, number>()
  for (const key of positions.keys()) {
    const { name, epoch } = parseKey(key)
    newest.set(name, Math.max(epoch, newest.get(name) ?? 0))
  }
  return newest
}

function parseKey(key: string): { readonly name: string; readonly epoch: number; readonly shard: string } {
  const [at, slash] = [key.lastIndexOf('@'), key.lastIndexOf('/')]
  return { name: key.slice(0, at), epoch: Number(key.slice(at + 1, slash)), shard: key.slice(slash + 1) }
}
