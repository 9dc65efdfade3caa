// The recompute function: a batch of the stream in, the affected users' items out, and what cannot be applied set aside.
import { writeDeadLetters } from '../archive/dead-letters.ts'
import { writeDoubt } from '../archive/doubt.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { ANSWER_RESERVE_MS, ASIDE_RESERVE_MS } from '../recompute/limits.ts'
import type { RecomputeDependencies } from '../recompute/recompute-batch.ts'
import { type LambdaHandler, lambdaHandler } from './lambda-handler.ts'
import { recomputeEvents } from './recompute-events.ts'
import { archiveStore } from './stores.ts'
import { createUserRuntime } from './user-runtime.ts'

export function recomputeHandler(pipeline: Pipeline): LambdaHandler {
  return lambdaHandler(deadline => {
    const { clients, compiled, environment, predictor, spills, telemetry, users, world } = createUserRuntime(
      pipeline,
      'recompute',
      { timeLeftMs: () => deadline.remainingMs() - ANSWER_RESERVE_MS },
    )
    const archive = archiveStore(clients.s3, environment.archiveBucket, world, {
      timeLeftMs: () => deadline.remainingMs() - ASIDE_RESERVE_MS,
    })
    const dependencies: RecomputeDependencies = {
      compiled,
      users,
      predictor,
      spills,
      ...world,
      aside: {
        writeDeadLetters: letters => writeDeadLetters(archive, letters),
        writeDoubt: records => writeDoubt(archive, records),
      },
      remainingMs: () => deadline.remainingMs(),
    }
    return { telemetry, handle: event => recomputeEvents(event, { dependencies, environment, telemetry }) }
  })
}
