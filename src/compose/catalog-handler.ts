// The catalogue function: tables and batches over HTTP. Bytes go between the caller and S3; this function only says where.
import { RESERVED_DATABASES } from '../catalog/reserved-tables.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { s3PresignedUrls } from '../platform/s3-presigned-urls.ts'
import type { ApiGatewayEvent } from '../serve/api-gateway.ts'
import { catalogHttp } from '../serve/catalog-http.ts'
import { functionMirror } from './function-mirror.ts'
import { type LambdaHandler, lambdaHandler, timeForCallsMs } from './lambda-handler.ts'
import { reportAnswer } from './report-answer.ts'
import { createRuntime } from './runtime.ts'
import { deployedStores } from './stores.ts'

export function catalogHandler(pipeline: Pipeline): LambdaHandler {
  return lambdaHandler(deadline => {
    const runtime = createRuntime(pipeline.name, 'catalog')
    const { clients, environment, telemetry, world } = runtime
    const limits = { timeLeftMs: () => timeForCallsMs(deadline), observe: functionMirror(runtime) }
    const { catalog } = deployedStores(clients, environment, world, limits)
    const handle = catalogHttp({
      catalog,
      urls: s3PresignedUrls({ client: clients.s3, bucket: environment.catalogBucket }),
      // Over HTTP all of the pipeline's own database.
      reserved: new Set([...RESERVED_DATABASES, pipeline.name]),
      ...world,
      report: telemetry.error,
    })
    return { telemetry, handle: async event => reportAnswer(await handle(event as ApiGatewayEvent), telemetry) }
  })
}
