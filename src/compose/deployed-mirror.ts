// The mirror of a deployed catalogue in AWS Glue, where it has one: told after each commit by whoever made it, and a commit never fails
// for it. What was missed then, `millrace table sync` repairs.
import type { MirrorPorts } from '../catalog/compare-mirror.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { observedCatalogStore } from '../catalog/observed-catalog-store.ts'
import { isMirrored, moveMirror } from '../catalog/sync-mirror.ts'
import type { TableMirror } from '../catalog/table-mirror.ts'
import type { TimeLeft } from '../platform/deadline.ts'
import type { MirroredStores, ObserveCommits } from './stores.ts'

/** The adapter is loaded by the first that needs it: most commands and functions never do. */
export type OpenMirror = (timeLeftMs?: TimeLeft) => TableMirror | Promise<TableMirror>

export interface MirrorSettings {
  readonly databasePrefix: string
  readonly open: OpenMirror
  /** Told of each commit whose mirror was not moved. */
  readonly onError: (error: unknown) => void
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

export function mirrorObserver(settings: MirrorSettings): ObserveCommits {
  return (stores, calls) => observedCatalogStore(stores.store, mirrorMover(stores, settings, calls))
}

/** Never throws: the commit has happened. */
function mirrorMover(
  stores: MirroredStores,
  settings: MirrorSettings,
  { clock, timeLeftMs }: Parameters<ObserveCommits>[1],
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
