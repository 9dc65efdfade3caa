// What the commands about snapshots have in common: the runs of a deployment, and a predictor of the versions that a run began with.
import type { Connection } from '../compose/connect.ts'
import { createPinnedPredictor } from '../compose/predictor.ts'
import { type CompiledPipeline, compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import type { RunDependencies } from '../snapshot/dependencies.ts'
import type { SnapshotRun } from '../snapshot/run-records.ts'
import { newestRuns } from '../snapshot/run-progress.ts'
import { snapshotRuns } from '../snapshot/snapshot-runs.ts'
import { readRun, runState } from '../snapshot/start-run.ts'
import type { PinnedPredictor } from '../predictions/predictor.ts'
import { SECOND_MS } from '../platform/duration.ts'
import type { CommandContext } from './command.ts'
import { CommandError } from './errors.ts'

/** Of one that was begun earlier the function would have given up. */
export const RUN_DAYS = 3

export function runDependencies(
  context: CommandContext,
  connection: Connection,
  pipeline: Pipeline,
  readUnitsPerSecond?: number,
): RunDependencies {
  const { users, catalog, archive, random, sleep } = connection
  const compiled = compilePipeline(pipeline)
  return {
    compiled,
    users,
    catalog,
    runs: snapshotRuns(archive),
    clock: context.clock,
    random,
    sleep,
    readUnitsPerSecond,
  }
}

/** The newest run that is not over. */
export async function openRun(deps: RunDependencies): Promise<SnapshotRun | undefined> {
  for (const listing of await newestRuns(deps, { nowMs: deps.clock(), days: RUN_DAYS })) {
    const run = await readRun(deps, listing)
    if ((await runState(deps, run)) === 'running') return run
  }
  return undefined
}

/** Throws CommandError `definitions-differ` where this folder's pipeline is another than the run's. */
export async function predictorOf(
  { catalog, compiled }: { readonly catalog: Connection['catalog']; readonly compiled: CompiledPipeline },
  { trustedKeys }: Pick<Connection, 'trustedKeys'>,
  run: SnapshotRun,
): Promise<PinnedPredictor> {
  if (run.definitions !== compiled.definitions) {
    throw new CommandError(`Run ${run.number} of ${run.partition} is of other definitions than this folder's`, {
      code: 'definitions-differ',
      next: 'Check out what is deployed, or give the run up: millrace snapshot run --give-up.',
    })
  }
  return createPinnedPredictor(compiled, {
    catalog,
    versions: run.models,
    trustedKeys,
    onRunError: error => {
      throw error
    },
  })
}

/** A line a second at the most. */
export function usersProgress(context: CommandContext): (users: number) => void {
  let saidMs = Number.NEGATIVE_INFINITY
  return users => {
    const nowMs = Date.now()
    if (context.isJson || nowMs - saidMs < SECOND_MS) return
    saidMs = nowMs
    context.stderr.write(`${users} users\n`)
  }
}
