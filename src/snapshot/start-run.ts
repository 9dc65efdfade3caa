// The beginning of a run. Of a partition there is one at a time: it is numbered, and the number is taken by creating its object. A
// second one joins what runs, or refuses, as it is asked to.
import { newBatchId } from '../catalog/batch-id.ts'
import { CatalogError } from '../catalog/errors.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { RunDependencies } from './dependencies.ts'
import { SnapshotError } from './errors.ts'
import { newerThan } from './newer-snapshot.ts'
import type { SnapshotRun } from './run-records.ts'
import type { RunListing } from './snapshot-runs.ts'
import { refOf, snapshotPartition } from './snapshot-table.ts'
import { snapshotSchema } from './work-segment.ts'

export interface StartInput {
  /** Fixed here; a user whose newest event is later is evaluated at that event. */
  readonly instantMs: number
  readonly who: string
  readonly why: string
  readonly segments: number
  readonly scans: number
  /** Model → batch ID, of the versions that all workers use. */
  readonly models: Readonly<Record<string, string>>
  /** Who asks with the same one again gets the run that there is. */
  readonly requestId?: string | undefined
  /** What to do where a run of the partition is not over. */
  readonly whenRunning: 'join' | 'refuse'
}

export interface StartedRun {
  readonly run: SnapshotRun
  /** `over`: asked for before, and committed or given up. */
  readonly state: 'started' | 'joined' | 'over'
}

export type RunState = 'running' | 'committed' | 'given-up'

/** Each lost round means that somebody else has started a run of this very partition. */
const ROUNDS_MAX = 10

/** Throws SnapshotError `snapshot-running`, `snapshot-older`; CatalogError, ObjectStoreError. */
export async function startRun(deps: RunDependencies, input: StartInput): Promise<StartedRun> {
  const { compiled, catalog, runs, clock, random } = deps
  const { instantMs, who, why, segments, scans, models, requestId } = input
  const db = compiled.pipeline.name
  const partition = snapshotPartition(instantMs)
  const ref = refOf({ db, partition })
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const newest = (await runs.list(partition)).at(-1)
    const running = newest === undefined ? undefined : await existing(deps, newest, input)
    if (running !== undefined) return running
    const newer = await newerThan(catalog, ref, instantMs)
    if (newer !== undefined) throw older(partition, { newer, instantMs })
    const schema = snapshotSchema(compiled)
    await catalog.createTable(ref, schema)
    const createdAtMs = clock()
    const run: SnapshotRun = {
      formatVersion: 1,
      db,
      partition,
      number: (newest?.number ?? 0) + 1,
      instantMs,
      batchId: newBatchId(createdAtMs, random),
      createdAtMs,
      segments,
      scans,
      definitions: compiled.definitions,
      columns: [...schema.columns],
      models: { ...models },
      tableItems: (await deps.tableItems?.()) ?? null,
      who,
      why,
      ...(requestId === undefined ? {} : { requestId }),
    }
    if ((await runs.create(run)) === 'created') return { run, state: 'started' }
  }
  throw new SnapshotError(`Others keep starting runs of ${partition}`, {
    code: 'snapshot-running',
    retriable: true,
    next: 'Find out who does: millrace snapshot status.',
    partition,
  })
}

async function existing(
  deps: RunDependencies,
  newest: RunListing,
  { requestId, whenRunning }: StartInput,
): Promise<StartedRun | undefined> {
  const run = await readRun(deps, newest)
  const state = await runState(deps, run)
  const isSame = requestId !== undefined && run.requestId === requestId
  if (state !== 'running') return isSame ? { run, state: 'over' } : undefined
  if (isSame || whenRunning === 'join') return { run, state: 'joined' }
  throw new SnapshotError(
    `Run ${run.number} of ${run.partition} is not over, by ${run.who} since ${toRfc3339(run.createdAtMs)}`,
    {
      code: 'snapshot-running',
      next: 'Go on with it: millrace snapshot run --resume. Or give it up first: --give-up.',
      partition: run.partition,
      run: run.number,
    },
  )
}

/** Throws SnapshotError `snapshot-not-found`. */
export async function readRun(
  { runs }: RunDependencies,
  ref: Pick<SnapshotRun, 'partition' | 'number'>,
): Promise<SnapshotRun> {
  const run = await runs.read(ref)
  if (run !== undefined) return run
  throw new SnapshotError(`There is no run ${ref.number} of ${ref.partition}`, {
    code: 'snapshot-not-found',
    next: 'Look at those that there are: millrace snapshot status.',
    partition: ref.partition,
    run: ref.number,
  })
}

/** One that is decided and not in the log yet is running: whoever comes commits it. */
export async function runState({ runs, catalog }: RunDependencies, run: SnapshotRun): Promise<RunState> {
  const end = await runs.end(run)
  if (end === undefined) return 'running'
  if (end.outcome === 'given-up') return 'given-up'
  try {
    await catalog.batch(refOf(run), run.batchId)
    return 'committed'
  } catch (error) {
    if (error instanceof CatalogError && error.code === 'batch-not-found') return 'running'
    throw error
  }
}

/** `committed`: it is decided otherwise already. */
export async function giveUp(
  { runs, clock }: Pick<RunDependencies, 'runs' | 'clock'>,
  run: SnapshotRun,
  { who, why, isAgain }: { readonly who: string; readonly why: string; readonly isAgain?: boolean },
): Promise<'given-up' | 'was-given-up' | 'committed'> {
  const end = { outcome: 'given-up' as const, at: clock(), who, why, ...(isAgain === undefined ? {} : { isAgain }) }
  if ((await runs.createEnd(run, end)) === 'created') return 'given-up'
  return (await runs.end(run))?.outcome === 'given-up' ? 'was-given-up' : 'committed'
}

function older(partition: string, { newer, instantMs }: { newer: string; instantMs: number }): SnapshotError {
  return new SnapshotError(`${partition} has ${newer}, which is of a later instant than ${toRfc3339(instantMs)}`, {
    code: 'snapshot-older',
    next: 'Take a later instant, or roll the partition back first: millrace table rollback.',
    partition,
  })
}
