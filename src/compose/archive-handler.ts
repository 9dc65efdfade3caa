// The archive function: the raw records of a batch, durable before the batch is acknowledged.
import { archiveBatch } from '../archive/archive-batch.ts'
import { lambdaRecords } from '../event/lambda-records.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { batchResponse } from './batch-response.ts'
import { type LambdaHandler, lambdaHandler } from './lambda-handler.ts'
import { createRuntime } from './runtime.ts'
import { archiveStore } from './stores.ts'

export function archiveHandler(pipeline: Pipeline): LambdaHandler {
  return lambdaHandler(() => {
    const { clients, environment, telemetry, world } = createRuntime(pipeline.name, 'archive')
    const archive = archiveStore(clients.s3, environment.archiveBucket, world)
    return {
      telemetry,
      handle: async event => {
        const records = lambdaRecords(event, environment)
        const { recordsArchived, failedSequence, errors } = await archiveBatch(records, archive)
        telemetry.count('recordsArchived', recordsArchived)
        for (const error of errors) telemetry.error(error)
        return batchResponse(failedSequence)
      },
    }
  })
}
