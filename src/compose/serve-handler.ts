// The serve function: GET of one user over the users table, and the models where stored predictions are no longer exact.
import type { Pipeline } from '../predictions/pipeline.ts'
import type { ApiGatewayEvent } from '../serve/api-gateway.ts'
import { type LambdaHandler, lambdaHandler, timeForCallsMs } from './lambda-handler.ts'
import { serveRequests } from './serve-requests.ts'
import { createUserRuntime } from './user-runtime.ts'

export function serveHandler(pipeline: Pipeline): LambdaHandler {
  return lambdaHandler(deadline => {
    const { compiled, predictor, spills, telemetry, users, world } = createUserRuntime(pipeline, 'serve', {
      timeLeftMs: () => timeForCallsMs(deadline),
      // Nobody is told what a shadow says, so none is asked.
      models: 'served',
    })
    const answer = serveRequests({ compiled, users, predictor, spills, clock: world.clock, telemetry })
    return { telemetry, handle: event => answer(event as ApiGatewayEvent) }
  })
}
