// The ingest function: POST /events, checked against the contracts and put on the stream, with an answer per event.
import { compileContracts } from '../event/compile-contracts.ts'
import { kinesisEventStreamWriter } from '../event/kinesis-event-stream-writer.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import type { ApiGatewayEvent } from '../serve/api-gateway.ts'
import { ingestHttp } from '../serve/ingest-http.ts'
import { type LambdaHandler, lambdaHandler } from './lambda-handler.ts'
import { reportAnswer } from './report-answer.ts'
import { createRuntime } from './runtime.ts'

/** Kept back from the function's time to answer. */
const ANSWER_RESERVE_MS = 1000

export function ingestHandler(pipeline: Pipeline): LambdaHandler {
  return lambdaHandler(deadline => {
    const { clients, environment, telemetry, world } = createRuntime(pipeline.name, 'ingest')
    const handle = ingestHttp({
      contracts: compileContracts(pipeline.events, { typePath: pipeline.typePath }),
      writer: kinesisEventStreamWriter(clients.kinesis, environment.eventsStream),
      ...world,
      deadlineMs: () => world.clock() + deadline.remainingMs() - ANSWER_RESERVE_MS,
      report: telemetry.error,
    })
    return { telemetry, handle: async event => reportAnswer(await handle(event as ApiGatewayEvent), telemetry) }
  })
}
