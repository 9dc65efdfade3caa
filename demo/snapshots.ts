// Snapshots: one is taken by the deployed function, overwritten by another, and rolled back; none is ever gone.
import type { Catalog } from '../src/catalog/catalog.ts'
import type { LogEntry } from '../src/catalog/items.ts'
import type { PartitionRef } from '../src/catalog/names.ts'
import { STAGE_DEFAULT } from '../src/cli/stage.ts'
import pipeline from '../src/pipeline/index.ts'
import { systemClock, systemSleep } from '../src/platform/clock.ts'
import { saidOf } from '../src/snapshot/snapshot-report.ts'
import type { DemoCloud } from './cloud.ts'
import type { Phases } from './phases.ts'

const SNAPSHOT_FUNCTION = `${pipeline.name}-${STAGE_DEFAULT}-snapshot`

/** Until the last worker has committed. */
const COMMIT_MS_MAX = 60_000
const LOOK_MS = 100

/** What the first worker answers, who does not wait for the others. */
interface SnapshotAnswer extends PartitionRef {
  readonly batchId: string
}

export interface DemoSnapshot {
  readonly ref: PartitionRef
  readonly batchId: string
}

export async function showSnapshots(
  { local, connection: { catalog } }: DemoCloud,
  demo: Phases,
): Promise<DemoSnapshot> {
  const take = async (): Promise<SnapshotAnswer> => {
    const answer = (await local.fireSchedule(SNAPSHOT_FUNCTION)) as SnapshotAnswer
    await committed(catalog, answer)
    return answer
  }
  const first = await take()
  const ref = { db: first.db, table: first.table, partition: first.partition }
  const { manifest } = await catalog.load(ref, first.batchId)
  const { report } = saidOf(manifest)
  if (report === undefined) throw new Error('The snapshot has no report')
  const { users, segments, plainBytes, storedBytes } = report
  demo.say(
    `${users} users in batch ${first.batchId} of ${ref.db}.${ref.table}/${ref.partition}, by ${segments} workers`,
  )
  demo.say(`their items: ${kilobytes(plainBytes)} of JSON, stored as ${kilobytes(storedBytes)} of zlib`)
  const second = await take()
  demo.say(`overwritten by batch ${second.batchId}: a new place, one log entry`)
  await catalog.rollback(ref, { to: first.batchId, who: 'demo', why: 'to show that nothing was lost' })
  demo.say('rolled back by one more entry; the history:')
  for (const entry of await catalog.history(ref)) demo.say(describe(entry))
  return { ref, batchId: first.batchId }
}

async function committed(catalog: Catalog, { batchId, db, table, partition }: SnapshotAnswer): Promise<void> {
  const endMs = systemClock() + COMMIT_MS_MAX
  while ((await catalog.current({ db, table, partition }))?.batchId !== batchId) {
    if (systemClock() > endMs) throw new Error(`The snapshot ${batchId} is not committed after ${COMMIT_MS_MAX} ms`)
    await systemSleep(LOOK_MS)
  }
}

function describe({ number, kind, batchId, at, who, why }: LogEntry): string {
  return `  ${number} ${kind.padEnd(8)} ${batchId}  ${new Date(at).toISOString()}  ${who}: ${why}`
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} KB`
}
