// The newest snapshot with what it says of itself, found by asking for one day after the other from today on.
import type { Catalog } from '../catalog/catalog.ts'
import type { LoadedBatch } from '../catalog/load-batch.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import { DAY_MS } from '../platform/duration.ts'
import { readableSnapshot } from './readable-snapshot.ts'
import { refOf, snapshotPartition } from './snapshot-table.ts'

export interface NewestSnapshot {
  readonly ref: PartitionRef
  readonly batch: LoadedBatch
  /** At which everybody was evaluated; when it was begun where it does not say. */
  readonly instantMs: number
}

/** One that is older is no snapshot of a pipeline in use. */
const DAYS_LOOKED_AT = 8

/** Undefined: none in the last week. Throws CatalogError, ObjectStoreError. */
export async function newestSnapshot(catalog: Catalog, db: string, nowMs: number): Promise<NewestSnapshot | undefined> {
  for (let day = 0; day < DAYS_LOOKED_AT; day++) {
    const ref = refOf({ db, partition: snapshotPartition(nowMs - day * DAY_MS) })
    const batch = await readableSnapshot(catalog, ref)
    if (batch === undefined) continue
    const { properties, createdAt } = batch.manifest
    const said = properties?.['instant']
    const instantMs = (typeof said === 'string' ? parseRfc3339Ms(said) : undefined) ?? Date.parse(createdAt)
    return { ref, batch, instantMs }
  }
  return undefined
}
