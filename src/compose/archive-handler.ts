// The archive function: the raw records of a batch, durable before the batch is acknowledged.
import type { Pipeline } from '../predictions/pipeline.ts'
import { archiveEvents } from './archive-events.ts'
import { type LambdaHandler, lambdaHandler, timeForCallsMs } from './lambda-handler.ts'
import { createRuntime } from './runtime.ts'
import { archiveStore } from './stores.ts'

export function archiveHandler(pipeline: Pipeline): LambdaHandler {
  return lambdaHandler(deadline => {
    const { clients, environment, telemetry, world } = createRuntime(pipeline.name, 'archive')
    const archive = archiveStore(clients.s3, environment.archiveBucket, world, {
      timeLeftMs: () => timeForCallsMs(deadline),
    })
    return { telemetry, handle: event => archiveEvents(event, { archive, environment, telemetry }) }
  })
}
