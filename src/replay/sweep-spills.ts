// Values of predictions that no item names any more, removed once they are old enough. An object is written before the item that
// names it, and a value that comes back is not written again: so what is young stays, and of what is old each user is looked at
// right before and right after. Should one go all the same, its user is evaluated at each GET and loses nothing.
import { mapWithLimit } from '../platform/concurrency.ts'
import { DAY_MS } from '../platform/duration.ts'
import { userBucket } from '../platform/hash.ts'
import type { ObjectInfo } from '../platform/object-store.ts'
import { SPILL_CONTENT, SPILL_PREFIX, spillPrefix } from '../predictions/spill.ts'
import { isCorrupt } from '../store/user-item.ts'
import { bucketOf, mayName, namedBy, OBJECTS_IN_FLIGHT_MAX, prefixOf, SCAN_SEGMENTS } from './spill-owners.ts'
import { ORPHAN_BYTES_MAX, type RemovalDependencies, removeOrphans, withinMemory } from './sweep-orphans.ts'

/** A reader that has an item fetches its values within seconds; a week is what a stream's records are kept for repeats. */
export const SPILL_GRACE_MS = 7 * DAY_MS
/** Held in memory at 200 bytes each; what is over it goes with the next run. */
const CANDIDATES_MAX = 1_000_000

export interface SweepDependencies extends RemovalDependencies {
  /** Of what is about to be removed; nothing is before it has returned. Not called where there is nothing. */
  readonly writeReceipt: (objects: readonly ObjectInfo[]) => Promise<void>
}

export interface SweepRequest {
  readonly nowMs: number
  /** What is younger stays, named or not. */
  readonly graceMs: number
  readonly isDryRun: boolean
  readonly candidatesMax?: number
  /** Of values of users without an item, which are held while they go. */
  readonly orphanBytesMax?: number
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

/**
 * Throws StoreError, ObjectStoreError, and what `writeReceipt` and `stillAlone` throw. What a receipt names and a sweep that died has not
 * removed is named by the next one's receipt again, which says no less than the truth.
 */
export async function sweepSpills(request: SweepRequest, deps: SweepDependencies): Promise<SweepReport> {
  const { candidates, ...listed } = await listOld(request, deps)
  if (candidates.size === 0) return { ...listed, named: 0, unknown: 0, removed: 0, removedBytes: 0, returned: 0 }
  const { owners, ...scanned } = await dropNamed(candidates, deps)
  const { owned, orphans, left } = divide(candidates, owners, request)
  const objects = [...owned.map(({ info }) => info), ...orphans]
  if (objects.length > 0 && !request.isDryRun) await deps.writeReceipt(objects)
  const gone = request.isDryRun
    ? objects
    : [...(await removeOwned(owned, deps)), ...(await removeOrphans(orphans, deps))]
  const removedBytes = gone.reduce((sum, { bytes }) => sum + bytes, 0)
  const counts = { removed: gone.length, removedBytes, returned: objects.length - gone.length }
  return { ...listed, ...scanned, ...counts, left: listed.left + left }
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

interface OwnedSpill {
  readonly info: ObjectInfo
  readonly userId: string
}

function divide(candidates: Candidates, owners: Owners, { orphanBytesMax = ORPHAN_BYTES_MAX }: SweepRequest) {
  const owned: OwnedSpill[] = []
  const others: ObjectInfo[] = []
  for (const info of candidates.values()) {
    const userId = owners.get(prefixOf(info.key))
    if (userId === undefined) others.push(info)
    else owned.push({ info, userId })
  }
  const orphans = withinMemory(others, orphanBytesMax)
  return { owned, orphans, left: others.length - orphans.length }
}

/** Those that are gone. */
async function removeOwned(owned: readonly OwnedSpill[], deps: SweepDependencies): Promise<readonly ObjectInfo[]> {
  const gone = await mapWithLimit(owned, OBJECTS_IN_FLIGHT_MAX, async spill =>
    (await removeOne(spill, deps)) ? [spill.info] : [],
  )
  return gone.flat()
}

/**
 * A writer may be about to name an object that it found there. Where it puts its item before the second read here, the object is
 * put back here; where it puts it later, the object is gone by then, and the writer puts it back: it looks again after an item that
 * names an old one. One that finds the object gone writes a new one, after which it does not look: that one must not be taken as the old
 * one by somebody who listed it before, which is why there is one sweep at a time.
 */
async function removeOne(
  { info: { key }, userId }: OwnedSpill,
  { archive, remover, users, stillAlone }: SweepDependencies,
): Promise<boolean> {
  const isNamed = async (): Promise<boolean> => mayName(await users.load(userId), key)
  if (await isNamed()) return false
  const body = await archive.get(key)
  // Gone already: what came there since would be new.
  if (body === undefined) return true
  await stillAlone()
  await remover.remove(key)
  if (!(await isNamed())) return true
  await archive.create(key, body, SPILL_CONTENT)
  return false
}
