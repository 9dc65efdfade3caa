// The snapshot from the beginning to the end in one process: every user evaluated at one instant, written as Parquet parts by user
// bucket into a new batch, and made current by the catalogue's one log entry. A run that dies before it leaves readers with the
// batch before.
import type { Catalog } from '../catalog/catalog.ts'
import { type Clock, type Sleep, systemClock, systemSleep } from '../platform/clock.ts'
import { type Random, systemRandom } from '../platform/random.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { PinnedPredictor, Predictor } from '../predictions/predictor.ts'
import type { UserStore } from '../store/user-item.ts'
import type { RunDependencies, WorkDependencies } from './dependencies.ts'
import { SnapshotError } from './errors.ts'
import { finishRun, type SnapshotReport } from './finish-run.ts'
import { processObjects } from './process-objects.ts'
import type { SnapshotRun } from './run-records.ts'
import { snapshotRuns } from './snapshot-runs.ts'
import { startRun } from './start-run.ts'
import { type SegmentBounds, workSegment } from './work-segment.ts'

export { SNAPSHOT_TABLE, snapshotPartition } from './snapshot-table.ts'

/** Side by side: each has a page of 1 MB in memory. */
export const SCANS_OF_PROCESS = 8

export interface SnapshotDependencies {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly predictor: Predictor
  readonly catalog: Catalog
  readonly clock?: Clock
  readonly random?: Random
  readonly sleep?: Sleep
}

export interface SnapshotRequest {
  /** Fixed at the start; a user whose newest event is later is evaluated at that event. */
  readonly instantMs: number
  readonly who: string
  readonly why: string
  readonly onProgress?: (users: number) => void
  readonly bounds?: Partial<SegmentBounds>
}

/** Nobody else can go on with it. Throws as startRun, runHere. */
export async function takeSnapshot(deps: SnapshotDependencies, request: SnapshotRequest): Promise<SnapshotReport> {
  const { clock = systemClock, random = systemRandom, sleep = systemSleep } = deps
  const { compiled, users, catalog } = deps
  const runs = snapshotRuns(processObjects())
  const alone: RunDependencies = { compiled, users, catalog, runs, clock, random, sleep }
  const predictor = await deps.predictor.pinned()
  const { run } = await startRun(alone, {
    ...request,
    segments: 1,
    scans: SCANS_OF_PROCESS,
    models: versionsOf(predictor),
    whenRunning: 'refuse',
  })
  return runHere({ ...alone, predictor }, run, request)
}

export function versionsOf({ models = [] }: PinnedPredictor): Readonly<Record<string, string>> {
  return Object.fromEntries(models.map(({ name, batchId }) => [name, batchId]))
}

/** What is left of the run, one segment after the other. Throws SnapshotError `snapshot-elsewhere`, and as finishRun. */
export async function runHere(
  deps: WorkDependencies,
  run: SnapshotRun,
  { onProgress, bounds }: Pick<SnapshotRequest, 'onProgress' | 'bounds'> = {},
): Promise<SnapshotReport> {
  let users = 0
  const onUsers = (more: number): void => onProgress?.((users += more))
  for (let segment = 0; segment < run.segments; segment++) {
    const outcome = await workSegment(deps, run, { segment, onUsers, ...(bounds === undefined ? {} : { bounds }) })
    if (outcome === 'overtaken') throw elsewhere(run)
  }
  const report = await finishRun(deps, run)
  if (report !== undefined) return report
  throw elsewhere(run)
}

function elsewhere({ partition, number }: SnapshotRun): SnapshotError {
  return new SnapshotError(`Somebody else works at run ${number} of ${partition}, too`, {
    code: 'snapshot-elsewhere',
    next: 'See how far it is: millrace snapshot status.',
    partition,
    run: number,
  })
}
