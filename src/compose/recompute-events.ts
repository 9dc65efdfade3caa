// One invocation of the recompute function on ports that are handed in: Lambda's event in, Lambda's answer out. No SDK is behind it,
// so that a simulation runs the very code that is deployed.
import { lambdaRecords } from '../event/lambda-records.ts'
import { type BatchResult, recomputeBatch, type RecomputeDependencies } from '../recompute/recompute-batch.ts'
import { type BatchResponse, batchResponse } from './batch-response.ts'
import type { Telemetry } from './telemetry.ts'

export interface RecomputePorts {
  readonly dependencies: RecomputeDependencies
  readonly environment: { readonly streamEpoch: number }
  readonly telemetry: Telemetry
}

/** Throws LambdaEventError: all of it is delivered again. */
export async function recomputeEvents(
  event: unknown,
  { dependencies, environment, telemetry }: RecomputePorts,
): Promise<BatchResponse> {
  const result = await recomputeBatch(lambdaRecords(event, environment), dependencies)
  report(result, telemetry)
  return batchResponse(result.failedSequence)
}

function report({ counts, errors }: BatchResult, telemetry: Telemetry): void {
  const { deadLetters, effectiveLatenessMs, ...totals } = counts
  if (effectiveLatenessMs !== undefined) telemetry.span('effectiveLateness', effectiveLatenessMs)
  for (const [name, value] of Object.entries(totals)) telemetry.count(name, value)
  for (const [reason, value] of Object.entries(deadLetters)) telemetry.count(`deadLetter.${reason}`, value ?? 0)
  for (const error of errors) telemetry.error(error)
}
