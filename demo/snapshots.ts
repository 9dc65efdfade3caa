// Snapshots: one is taken by the deployed function, overwritten by another, and rolled back; none is ever gone.
import type { LogEntry } from '../src/catalog/items.ts'
import type { PartitionRef } from '../src/catalog/names.ts'
import { STAGE_DEFAULT } from '../src/cli/stage.ts'
import pipeline from '../src/pipeline/index.ts'
import type { DemoCloud } from './cloud.ts'
import type { Phases } from './phases.ts'

const SNAPSHOT_FUNCTION = `${pipeline.name}-${STAGE_DEFAULT}-snapshot`

interface SnapshotAnswer extends PartitionRef {
  readonly batchId: string
  readonly users: number
  readonly storedBytes: number
  readonly plainBytes: number
}

export interface DemoSnapshot {
  readonly ref: PartitionRef
  readonly batchId: string
}

export async function showSnapshots(
  { local, connection: { catalog } }: DemoCloud,
  demo: Phases,
): Promise<DemoSnapshot> {
  const first = (await local.fireSchedule(SNAPSHOT_FUNCTION)) as SnapshotAnswer
  const ref = { db: first.db, table: first.table, partition: first.partition }
  demo.say(`${first.users} users in batch ${first.batchId} of ${ref.db}.${ref.table}/${ref.partition}`)
  demo.say(`their items: ${kilobytes(first.plainBytes)} of JSON, stored as ${kilobytes(first.storedBytes)} of zlib`)
  const second = (await local.fireSchedule(SNAPSHOT_FUNCTION)) as SnapshotAnswer
  demo.say(`overwritten by batch ${second.batchId}: a new place, one log entry`)
  await catalog.rollback(ref, { to: first.batchId, who: 'demo', why: 'to show that nothing was lost' })
  demo.say('rolled back by one more entry; the history:')
  for (const entry of await catalog.history(ref)) demo.say(describe(entry))
  return { ref, batchId: first.batchId }
}

function describe({ number, kind, batchId, at, who, why }: LogEntry): string {
  return `  ${number} ${kind.padEnd(8)} ${batchId}  ${new Date(at).toISOString()}  ${who}: ${why}`
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} KB`
}
