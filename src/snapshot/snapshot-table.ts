// Where snapshots are: the table `<pipeline>.users`, one partition a day.
import type { PartitionRef } from '../catalog/names.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { SnapshotRun } from './run-records.ts'

export const SNAPSHOT_TABLE = 'users'

/** `day=2001-06-30` of the instant, UTC. */
export function snapshotPartition(instantMs: number): string {
  return `day=${toRfc3339(instantMs).slice(0, 10)}`
}

export function refOf({ db, partition }: Pick<SnapshotRun, 'db' | 'partition'>): PartitionRef {
  return { db, table: SNAPSHOT_TABLE, partition }
}
