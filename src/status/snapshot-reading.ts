// The newest snapshot, found by asking for one day after the other from today on: the partitions of years are not listed for it.
import type { Catalog } from '../catalog/catalog.ts'
import { DAY_MS } from '../platform/duration.ts'
import type { SnapshotReading } from './readings.ts'

/** One that is older is found by `millrace table history`, and is no snapshot of a pipeline in use. */
const DAYS_LOOKED_AT = 8
/** As src/snapshot/ names them. */
const SNAPSHOT_TABLE = 'users'

/** Undefined: none in the last week. Throws CatalogError, ObjectStoreError. */
export async function snapshotReading(
  catalog: Catalog,
  db: string,
  nowMs: number,
): Promise<SnapshotReading | undefined> {
  for (let day = 0; day < DAYS_LOOKED_AT; day++) {
    const partition = `day=${new Date(nowMs - day * DAY_MS).toISOString().slice(0, 10)}`
    const ref = { db, table: SNAPSHOT_TABLE, partition }
    const entry = await catalog.current(ref)
    if (entry === undefined) continue
    const { rows } = await catalog.batch(ref, entry.batchId)
    return { partition, batchId: entry.batchId, at: entry.at, rows }
  }
  return undefined
}
