// The serve function: GET of one user over the users table, and the models where stored predictions are no longer exact.
import type { Pipeline } from '../predictions/pipeline.ts'
import { predictOne } from '../predictions/predictor.ts'
import type { ApiGatewayEvent } from '../serve/api-gateway.ts'
import { featuresAt } from '../serve/evaluate-user.ts'
import { serveHttp } from '../serve/serve-http.ts'
import { type LambdaHandler, lambdaHandler, timeForCallsMs } from './lambda-handler.ts'
import { reportAnswer } from './report-answer.ts'
import { createUserRuntime } from './user-runtime.ts'

export function serveHandler(pipeline: Pipeline): LambdaHandler {
  return lambdaHandler(deadline => {
    const { compiled, predictor, telemetry, users, world } = createUserRuntime(pipeline, 'serve', {
      timeLeftMs: () => timeForCallsMs(deadline),
    })
    const handle = serveHttp({
      load: userId => users.load(userId),
      featuresAt: (item, nowMs) => featuresAt(compiled, item, nowMs),
      predict: features => predictOne(predictor, features),
      productionBatches: () => predictor.production(),
      definitions: compiled.definitions,
      clock: world.clock,
      report: telemetry.error,
    })
    return { telemetry, handle: async event => reportAnswer(await handle(event as ApiGatewayEvent), telemetry) }
  })
}
