// Values of predictions that no item names any more, removed once they are old enough. An object is written before the item that
// names it, and a value that comes back is not written again: so what is young stays, and of what is old each user is looked at
// right before and right after. Should one go all the same, its user is evaluated at each GET and loses nothing.
import { mapWithLimit } from '../platform/concurrency.ts'
import { DAY_MS } from '../platform/duration.ts'
import { userBucket } from '../platform/hash.ts'
import type { ObjectInfo, ObjectRemover, ObjectStore } from '../platform/object-store.ts'
import type { PredictionsBody } from '../predictions/evaluated-user.ts'
import { SPILL_PREFIX, spilledOf, spillPrefix } from '../predictions/spill.ts'
import { isUnreadable, readBody } from '../store/item-codec.ts'
import type { SpillStore } from '../store/spill-store.ts'
import { type CorruptItem, isCorrupt, type StoredItem, type UserStore } from '../store/user-item.ts'

/** A reader that has an item fetches its values within seconds; a week is what a stream's records are kept for repeats. */
export const SPILL_GRACE_MS = 7 * DAY_MS
/** Held in memory at 200 bytes each; what is over it goes with the next run. */
const CANDIDATES_MAX = 1_000_000
/** As a snapshot has. */
const SCAN_SEGMENTS = 8
const USERS_IN_FLIGHT_MAX = 8

export interface SweepDependencies {
  readonly archive: ObjectStore
  readonly remover: ObjectRemover
  readonly users: UserStore
  readonly spills: Pick<SpillStore, 'key'>
  /** Of what is about to be removed; nothing is before it has returned. Not called where there is nothing. */
  readonly writeReceipt: (objects: readonly ObjectInfo[]) => Promise<void>
}

export interface SweepRequest {
  readonly nowMs: number
  /** What is younger stays, named or not. */
  readonly graceMs: number
  readonly isDryRun: boolean
  readonly candidatesMax?: number
}

export interface SweepReport {
  /** All that there are. */
  readonly objects: number
  readonly bytes: number
  readonly young: number
  /** Old, and named by an item. */
  readonly named: number
  /** In the bucket of an item that cannot be read, so that nobody knows what it names. */
  readonly unknown: number
  /** Old ones that this run had no room for. */
  readonly left: number
  /** Of a dry run: would be. */
  readonly removed: number
  readonly removedBytes: number
  /** Named again by the time that they were to go, or right after: put back then. */
  readonly returned: number
}

/** Throws StoreError, ObjectStoreError, and what `writeReceipt` throws. */
export async function sweepSpills(request: SweepRequest, deps: SweepDependencies): Promise<SweepReport> {
  const { candidates, ...listed } = await listOld(request, deps)
  if (candidates.size === 0) return { ...listed, named: 0, unknown: 0, removed: 0, removedBytes: 0, returned: 0 }
  const { owners, ...scanned } = await dropNamed(candidates, deps)
  const objects = [...candidates.values()]
  if (objects.length > 0 && !request.isDryRun) await deps.writeReceipt(objects)
  const gone = request.isDryRun ? objects : await removeAll(objects, owners, deps)
  const removedBytes = gone.reduce((sum, { bytes }) => sum + bytes, 0)
  return { ...listed, ...scanned, removed: gone.length, removedBytes, returned: objects.length - gone.length }
}

type Candidates = Map<string, ObjectInfo>

async function listOld(
  { nowMs, graceMs, candidatesMax = CANDIDATES_MAX }: SweepRequest,
  { archive }: SweepDependencies,
) {
  const candidates: Candidates = new Map()
  const counts = { objects: 0, bytes: 0, young: 0, left: 0 }
  for await (const info of archive.list(SPILL_PREFIX)) {
    counts.objects++
    counts.bytes += info.bytes
    if (info.createdMs > nowMs - graceMs) counts.young++
    else if (candidates.size >= candidatesMax) counts.left++
    else candidates.set(info.key, info)
  }
  return { ...counts, candidates }
}

/** Prefix of a user's objects → the user. */
type Owners = ReadonlyMap<string, string>

async function dropNamed(candidates: Candidates, { users, spills }: SweepDependencies) {
  const key = await spills.key()
  const prefixes = new Set([...candidates.keys()].map(prefixOf))
  const owners = new Map<string, string>()
  const unreadable = new Set<number>()
  const before = candidates.size
  await mapWithLimit([...Array(SCAN_SEGMENTS).keys()], SCAN_SEGMENTS, async segment => {
    for await (const page of users.scan(segment, SCAN_SEGMENTS)) {
      for (const item of page) {
        const prefix = spillPrefix(item.userId, key)
        if (prefixes.has(prefix)) owners.set(prefix, item.userId)
        else if (!isCorrupt(item) && item.spills === undefined) continue
        const named = namedBy(item)
        if (named === undefined) unreadable.add(userBucket(item.userId))
        for (const name of named ?? []) candidates.delete(name)
      }
    }
  })
  const named = before - candidates.size
  for (const name of candidates.keys()) if (unreadable.has(bucketOf(name))) candidates.delete(name)
  return { owners, named, unknown: before - named - candidates.size }
}

/** Undefined where nobody can tell. */
function namedBy(item: StoredItem | CorruptItem): readonly string[] | undefined {
  if (isCorrupt(item)) return undefined
  const read = readBody(item, 'pr')
  return isUnreadable(read) ? undefined : spilledOf(read.body as unknown as PredictionsBody).map(({ key }) => key)
}

/** Those that are gone. */
async function removeAll(
  objects: readonly ObjectInfo[],
  owners: Owners,
  deps: SweepDependencies,
): Promise<readonly ObjectInfo[]> {
  const gone = await mapWithLimit(objects, USERS_IN_FLIGHT_MAX, async info => {
    const owner = owners.get(prefixOf(info.key))
    return (await removeOne(info, owner, deps)) ? [info] : []
  })
  return gone.flat()
}

/**
 * A writer may be about to name an object that it found there. Where it puts its item before the second read here, the object is
 * put back here; where it puts it later, the object is gone by then, and the writer puts it back: it looks again after an item that
 * names an old one. Of two sweeps at once the same is not true.
 */
async function removeOne(
  { key }: ObjectInfo,
  owner: string | undefined,
  { archive, remover, users }: SweepDependencies,
): Promise<boolean> {
  const isNamed = async (): Promise<boolean> => {
    const item = owner === undefined ? undefined : await users.load(owner)
    return item !== undefined && (namedBy(item)?.includes(key) ?? true)
  }
  if (await isNamed()) return false
  const body = await archive.get(key)
  await remover.remove(key)
  if (body === undefined || !(await isNamed())) return true
  await archive.create(key, body, { contentType: 'application/zlib' })
  return false
}

function prefixOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1)
}

function bucketOf(key: string): number {
  return Number(key.slice(SPILL_PREFIX.length, SPILL_PREFIX.length + 2))
}
