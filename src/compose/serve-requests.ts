// One request to the serve function on ports that are handed in: API Gateway's event in, its answer out. No SDK is behind it.
import type { Clock } from '../platform/clock.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { shadowNames } from '../predictions/pipeline.ts'
import { predictOne, type Predictor } from '../predictions/predictor.ts'
import type { ApiGatewayEvent, ApiGatewayResult } from '../serve/api-gateway.ts'
import { featuresAt } from '../serve/evaluate-user.ts'
import { serveHttp } from '../serve/serve-http.ts'
import type { SpillStore } from '../store/spill-store.ts'
import type { UserStore } from '../store/user-item.ts'
import { reportAnswer } from './report-answer.ts'
import { reportModels } from './report-models.ts'
import type { Telemetry } from './telemetry.ts'

export interface ServePorts {
  readonly compiled: CompiledPipeline
  readonly users: Pick<UserStore, 'load'>
  readonly predictor: Pick<Predictor, 'predict' | 'production'>
  readonly spills?: Pick<SpillStore, 'read'> | undefined
  readonly clock: Clock
  readonly telemetry: Telemetry
}

/** Never rejects. */
export function serveRequests(ports: ServePorts): (event: ApiGatewayEvent) => Promise<ApiGatewayResult> {
  const { compiled, users, predictor, clock, telemetry } = ports
  const handle = serveHttp({
    load: userId => users.load(userId),
    featuresAt: (item, nowMs) => featuresAt(compiled, item, nowMs),
    predict: features => predictOne(predictor, features),
    // What the answer is about anyway: nothing is asked only to be reported.
    productionBatches: async () => reportModels(await predictor.production(), telemetry),
    definitions: compiled.definitions,
    shadows: shadowNames(compiled.pipeline),
    spills: ports.spills,
    clock,
    report: telemetry.error,
  })
  return async event => reportAnswer(await handle(event), telemetry)
}
