// One invocation of the archive function on ports that are handed in: Lambda's event in, Lambda's answer out. No SDK is behind it, so
// that a simulation runs the very code that is deployed.
import { archiveBatch } from '../archive/archive-batch.ts'
import { lambdaRecords } from '../event/lambda-records.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { type BatchResponse, batchResponse } from './batch-response.ts'
import { reportErrors } from './report-errors.ts'
import type { Telemetry } from './telemetry.ts'

export interface ArchivePorts {
  readonly archive: ObjectStore
  readonly environment: { readonly streamEpoch: number }
  readonly telemetry: Telemetry
}

/** Throws LambdaEventError: all of it is delivered again. */
export async function archiveEvents(
  event: unknown,
  { archive, environment, telemetry }: ArchivePorts,
): Promise<BatchResponse> {
  const records = lambdaRecords(event, environment)
  const { recordsArchived, failedSequence, errors } = await archiveBatch(records, archive)
  telemetry.count('recordsArchived', recordsArchived)
  telemetry.count('recordsNotArchived', records.length - recordsArchived)
  reportErrors(errors, telemetry)
  return batchResponse(failedSequence)
}
