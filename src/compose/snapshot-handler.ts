// The snapshot function: once a night by the schedule. Its instant is the schedule's own time, so that a run that is repeated
// evaluates everybody at the same instant.
import { parseRfc3339Ms } from '../event/event-time.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { recordDeployed } from '../recompute/record-deployed.ts'
import { takeSnapshot } from '../snapshot/take-snapshot.ts'
import { functionMirror } from './function-mirror.ts'
import { type LambdaHandler, lambdaHandler, timeForCallsMs } from './lambda-handler.ts'
import { reportDrift } from './report-drift.ts'
import { stageOfTable } from './resource-names.ts'
import { createUserRuntime, type UserRuntime } from './user-runtime.ts'

export function snapshotHandler(pipeline: Pipeline): LambdaHandler {
  return lambdaHandler(deadline => {
    const runtime = createUserRuntime(pipeline, 'snapshot', {
      timeLeftMs: () => timeForCallsMs(deadline),
      observe: functionMirror,
    })
    const { telemetry, world } = runtime
    return {
      telemetry,
      handle: async event => {
        await recordRunning(runtime)
        const request = { instantMs: scheduledMs(event) ?? world.clock(), who: 'functions/snapshot', why: 'nightly' }
        const { entry, ...report } = await takeSnapshot(runtime, request)
        telemetry.count('usersInSnapshot', report.users)
        telemetry.count('corruptItems', report.corruptItems)
        reportDrift(report.drift, telemetry)
        const result = { batchId: entry.batchId, ...report }
        // Column by column it is in the batch's manifest; of hundreds of them a line of the log would be too long.
        const drift = report.drift.map(({ model, batchId, inputPsi, outputPsi }) => ({
          model,
          batchId,
          inputPsi,
          outputPsi,
        }))
        telemetry.info('snapshot taken', { ...result, drift })
        return result
      },
    }
  })
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

function scheduledMs(event: unknown): number | undefined {
  const time = typeof event === 'object' && event !== null && 'time' in event ? event.time : undefined
  return typeof time === 'string' ? parseRfc3339Ms(time) : undefined
}
