// The mirror of a deployed catalogue in AWS Glue, where it has one: told after each commit by whoever made it, and a commit never fails
// for it. What was missed then, `millrace table sync` repairs.
import type { CatalogStore } from '../catalog/catalog-store.ts'
import type { MirrorPorts } from '../catalog/compare-mirror.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { isMirrored, moveMirror } from '../catalog/sync-mirror.ts'
import type { TableMirror } from '../catalog/table-mirror.ts'
import type { Clock } from '../platform/clock.ts'
import type { TimeLeft } from '../platform/deadline.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { ResourceNames } from './resource-names.ts'

/** The adapter is loaded by the first that needs it: most commands and functions never do. */
export type OpenMirror = (timeLeftMs?: TimeLeft) => TableMirror | Promise<TableMirror>

export interface MirrorSettings {
  readonly databasePrefix: string
  readonly open: OpenMirror
  /** Told of each commit whose mirror was not moved. */
  readonly onError: (error: unknown) => void
}

export interface MirroredStores {
  readonly store: CatalogStore
  readonly objects: ObjectStore
  readonly names: Pick<ResourceNames, 'catalogTable' | 'catalogBucket'>
}

/** A committer waits no longer for a metastore. */
const MOVE_MS_MAX = 20_000

export function mirrorPorts(
  { store, objects, names }: MirroredStores,
  { databasePrefix: prefix }: Pick<MirrorSettings, 'databasePrefix'>,
  mirror: TableMirror,
): MirrorPorts {
  const options = { databasePrefix: prefix, catalogName: names.catalogTable, bucket: names.catalogBucket }
  return { store, objects, mirror, options }
}

/** What an observed catalogue store tells of commits; it never throws. */
export function mirrorMover(
  stores: MirroredStores,
  settings: MirrorSettings,
  { clock, timeLeftMs }: { readonly clock: Clock; readonly timeLeftMs?: TimeLeft | undefined },
): (ref: PartitionRef) => Promise<void> {
  return async ref => {
    const endMs = clock() + MOVE_MS_MAX
    const left = (): number => Math.min(endMs - clock(), timeLeftMs?.() ?? MOVE_MS_MAX)
    try {
      if (!(await isMirrored(stores.store, ref))) return
      await moveMirror(mirrorPorts(stores, settings, await settings.open(left)), ref)
    } catch (error) {
      settings.onError(error)
    }
  }
}
