// Large predictions of nobody: no item of their user was found, and from an HMAC there is no way back to a user whose item could be looked
// at. But he may be about to have one: a writer that died has left them, and now he comes back. So they are kept in memory while they go,
// and everybody is looked through once more.
import { mapPulled, mapWithLimit } from '../platform/concurrency.ts'
import type { ObjectInfo, ObjectRemover, ObjectStore } from '../platform/object-store.ts'
import { SPILL_CONTENT, spillPrefix } from '../predictions/spill.ts'
import type { SpillStore } from '../store/spill-store.ts'
import type { UserStore } from '../store/user-item.ts'
import { mayName, OBJECTS_IN_FLIGHT_MAX, prefixOf, SCAN_SEGMENTS } from './spill-owners.ts'

/** What is over it goes with the next run. */
export const ORPHAN_BYTES_MAX = 64 * 1024 * 1024

export interface RemovalDependencies {
  readonly archive: ObjectStore
  readonly remover: ObjectRemover
  readonly users: UserStore
  readonly spills: Pick<SpillStore, 'key'>
  /** Asked before each removal; throws where another sweep may have begun. */
  readonly stillAlone: () => Promise<void>
}

/** The first of them. */
export function withinMemory(objects: readonly ObjectInfo[], bytesMax: number): readonly ObjectInfo[] {
  let bytes = 0
  return objects.filter(info => (bytes += info.bytes) <= bytesMax)
}

/**
 * Those that are gone. A writer that names one before the scan has passed its user is seen by it; one that does so later finds it gone, and
 * puts it back itself.
 */
export async function removeOrphans(
  objects: readonly ObjectInfo[],
  deps: RemovalDependencies,
): Promise<readonly ObjectInfo[]> {
  if (objects.length === 0) return []
  const { archive, remover, stillAlone } = deps
  const bodies = new Map<string, Uint8Array>()
  let returned: ReadonlySet<string> = new Set()
  try {
    // One that fails lets the others end, so that all that is gone is looked for below.
    await mapPulled(objects, OBJECTS_IN_FLIGHT_MAX, async ({ key }) => {
      const body = await archive.get(key)
      if (body === undefined) return
      await stillAlone()
      bodies.set(key, body)
      await remover.remove(key)
    })
  } finally {
    returned = await putBackNamed(bodies, deps)
  }
  return objects.filter(({ key }) => !returned.has(key))
}

async function putBackNamed(
  bodies: ReadonlyMap<string, Uint8Array>,
  { archive, spills, users }: RemovalDependencies,
): Promise<ReadonlySet<string>> {
  const returned = new Set<string>()
  if (bodies.size === 0) return returned
  const hmacKey = await spills.key()
  const byPrefix = Map.groupBy(bodies.keys(), prefixOf)
  await mapWithLimit([...Array(SCAN_SEGMENTS).keys()], SCAN_SEGMENTS, async segment => {
    for await (const page of users.scan(segment, SCAN_SEGMENTS, undefined, { isConsistent: true })) {
      for (const item of page) {
        for (const key of byPrefix.get(spillPrefix(item.userId, hmacKey)) ?? []) {
          if (!mayName(item, key)) continue
          await archive.create(key, bodies.get(key) ?? new Uint8Array(), SPILL_CONTENT)
          returned.add(key)
        }
      }
    }
  })
  return returned
}
