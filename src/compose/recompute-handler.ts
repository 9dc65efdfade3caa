// The recompute function: a batch of the stream in, the affected users' items out, and what cannot be applied set aside.
import { writeDeadLetters } from '../archive/dead-letters.ts'
import { writeDoubt } from '../archive/doubt.ts'
import { lambdaRecords } from '../event/lambda-records.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { type BatchResult, recomputeBatch, type RecomputeDependencies } from '../recompute/recompute-batch.ts'
import { batchResponse } from './batch-response.ts'
import { type LambdaHandler, lambdaHandler } from './lambda-handler.ts'
import { archiveStore } from './stores.ts'
import type { Telemetry } from './telemetry.ts'
import { createUserRuntime } from './user-runtime.ts'

export function recomputeHandler(pipeline: Pipeline): LambdaHandler {
  return lambdaHandler(deadline => {
    const { clients, compiled, environment, predictor, telemetry, users, world } = createUserRuntime(
      pipeline,
      'recompute',
    )
    const archive = archiveStore(clients.s3, environment.archiveBucket, world)
    const dependencies: RecomputeDependencies = {
      compiled,
      users,
      predictor,
      ...world,
      aside: {
        writeDeadLetters: letters => writeDeadLetters(archive, letters),
        writeDoubt: records => writeDoubt(archive, records),
      },
      remainingMs: () => deadline.remainingMs(),
    }
    return {
      telemetry,
      handle: async event => {
        const result = await recomputeBatch(lambdaRecords(event, environment), dependencies)
        report(result, telemetry)
        return batchResponse(result.failedSequence)
      },
    }
  })
}

function report({ counts, errors }: BatchResult, telemetry: Telemetry): void {
  const { deadLetters, effectiveLatenessMs, ...totals } = counts
  if (effectiveLatenessMs !== undefined) telemetry.span('effectiveLateness', effectiveLatenessMs)
  for (const [name, value] of Object.entries(totals)) telemetry.count(name, value)
  for (const [reason, value] of Object.entries(deadLetters)) telemetry.count(`deadLetter.${reason}`, value ?? 0)
  for (const error of errors) telemetry.error(error)
}
