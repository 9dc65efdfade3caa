// The snapshot function: once a night by the schedule, by itself for each worker's share, and once an hour to take up what hangs.
import type { Pipeline } from '../predictions/pipeline.ts'
import type { PinnedPredictor } from '../predictions/predictor.ts'
import { readTrustedKeys } from '../model/signature.ts'
import { SECOND_MS } from '../platform/duration.ts'
import { recordDeployed } from '../recompute/record-deployed.ts'
import { dynamodbItemCount } from '../snapshot/dynamodb-item-count.ts'
import type { SnapshotReport } from '../snapshot/finish-run.ts'
import { lambdaWake } from '../snapshot/lambda-api-wake.ts'
import { newestSnapshot } from '../snapshot/newest-snapshot.ts'
import { readSnapshotEvent } from '../snapshot/snapshot-events.ts'
import { type FunctionDependencies, type FunctionOutcome, runSnapshotEvent } from '../snapshot/snapshot-function.ts'
import { snapshotRuns } from '../snapshot/snapshot-runs.ts'
import { clientOptions } from './clients.ts'
import { functionMirror } from './function-mirror.ts'
import { type Deadline, type LambdaHandler, lambdaHandler, timeForCallsMs } from './lambda-handler.ts'
import { createPinnedPredictor } from './predictor.ts'
import { reportDrift } from './report-drift.ts'
import { stageOfTable } from './resource-names.ts'
import { archiveStore } from './stores.ts'
import type { Telemetry } from './telemetry.ts'
import { createUserRuntime, type UserRuntime } from './user-runtime.ts'

/** What writing a piece takes, and a wait for read capacity before it; of a function with little time half of it. */
const PIECE_RESERVE_MS = 90 * SECOND_MS

export function snapshotHandler(pipeline: Pipeline): LambdaHandler {
  return lambdaHandler(deadline => {
    const runtime = createUserRuntime(pipeline, 'snapshot', {
      timeLeftMs: () => timeForCallsMs(deadline),
      observe: functionMirror,
    })
    const { telemetry, world } = runtime
    let reserveMs = PIECE_RESERVE_MS
    const deps = dependencies(runtime, deadline, () => deadline.remainingMs() < reserveMs)
    return {
      telemetry,
      handle: async event => {
        reserveMs = Math.min(PIECE_RESERVE_MS, deadline.remainingMs() / 2)
        const read = readSnapshotEvent(event, world.clock())
        if (read.snapshot === 'take') await recordRunning(runtime)
        if (read.snapshot === 'take-up') await reportAge(runtime)
        return tell(await runSnapshotEvent(deps, read), telemetry)
      },
    }
  })
}

function dependencies(runtime: UserRuntime, deadline: Deadline, isTimeUp: () => boolean): FunctionDependencies {
  const { catalog, clients, compiled, environment, predictor, telemetry, users, world } = runtime
  const { snapshotSegments, snapshotReadUnits, usersTable } = environment
  const limits = { timeLeftMs: () => timeForCallsMs(deadline) }
  return {
    compiled,
    users,
    catalog,
    ...world,
    runs: snapshotRuns(archiveStore(clients.s3, environment.archiveBucket, world, limits)),
    segments: snapshotSegments,
    // All workers are at it at once, each with its part.
    readUnitsPerSecond: snapshotReadUnits === 0 ? undefined : snapshotReadUnits / snapshotSegments,
    tableItems: () => dynamodbItemCount(clients.dynamodb, usersTable),
    pinned: () => predictor.pinned(),
    pinnedTo: (versions): Promise<PinnedPredictor> =>
      createPinnedPredictor(compiled, {
        catalog,
        versions,
        trustedKeys: readTrustedKeys(environment.modelKeys),
        onRunError: telemetry.error,
      }),
    wake: lambdaWake(clientOptions(process.env), process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? ''),
    isTimeUp,
  }
}

function tell(outcome: FunctionOutcome, telemetry: Telemetry): object {
  if (outcome.outcome === 'over') {
    telemetry.info('nothing to do', { why: outcome.why })
    return outcome
  }
  if (outcome.outcome === 'working') {
    const { db, partition, batchId, number, segments } = outcome.run
    const told = { batchId, db, partition, run: number, segments, woken: outcome.woken }
    telemetry.info('snapshot goes on', told)
    return { ...told, table: 'users' }
  }
  return tellCommitted(outcome.report, telemetry)
}

function tellCommitted({ entry, since, ...report }: SnapshotReport, telemetry: Telemetry): object {
  telemetry.count('usersInSnapshot', report.users)
  telemetry.count('corruptItems', report.corruptItems)
  reportDrift(report.drift, telemetry)
  const result = { batchId: entry.batchId, ...report }
  // Column by column it is in the batch's manifest; of hundreds of them a line of the log would be too long.
  const drift = report.drift.map(({ model, batchId, inputPsi, outputPsi }) => ({ model, batchId, inputPsi, outputPsi }))
  const moved = since?.columns.filter(({ reading }) => reading === 'moved' || reading === 'moved-much').length ?? null
  telemetry.info('snapshot taken', { ...result, drift, movedSinceBefore: moved })
  return result
}

/** How old what batch consumers read is; 0 while there is none, which the night's errors tell of. */
async function reportAge({ catalog, compiled, telemetry, world }: UserRuntime): Promise<void> {
  const nowMs = world.clock()
  const newest = await newestSnapshot(catalog, compiled.pipeline.name, nowMs)
  telemetry.span('snapshotAge', newest === undefined ? 0 : Math.max(0, nowMs - newest.instantMs))
}

/** Whoever forgets the last step of a deploy has it done by night. A snapshot does not depend on it. */
async function recordRunning({ catalog, compiled, environment, telemetry }: UserRuntime): Promise<void> {
  const stage = stageOfTable(compiled.pipeline.name, environment.catalogTable)
  if (stage === undefined) return
  const input = { stage, release: null, who: 'functions/snapshot', why: 'what runs was not recorded yet' }
  try {
    await recordDeployed(catalog, compiled, input)
  } catch (error) {
    telemetry.error(error)
  }
}
