// One invocation of the recompute function on ports that are handed in: Lambda's event in, Lambda's answer out. No SDK is behind it,
// so that a simulation runs the very code that is deployed.
import { lambdaRecords } from '../event/lambda-records.ts'
import { type BatchResult, recomputeBatch, type RecomputeDependencies } from '../recompute/recompute-batch.ts'
import { type BatchResponse, batchResponse } from './batch-response.ts'
import { reportErrors } from './report-errors.ts'
import { reportModels } from './report-models.ts'
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

function report({ counts, errors, models }: BatchResult, telemetry: Telemetry): void {
  const { deadLetters, deadLettersOfOwner, predictions, effectiveLatenessMs, ...totals } = counts
  if (effectiveLatenessMs !== undefined) telemetry.span('effectiveLateness', effectiveLatenessMs)
  for (const [name, value] of entriesOf(totals)) telemetry.count(name, value)
  for (const [reason, value] of entriesOf(deadLetters)) telemetry.count(`deadLetter.${reason}`, value)
  for (const [owner, value] of entriesOf(deadLettersOfOwner)) telemetry.count('deadLetters', value, { owner })
  for (const [status, value] of entriesOf(predictions)) telemetry.count(`prediction.${status}`, value)
  reportModels(models, telemetry)
  reportErrors(errors, telemetry)
}

/** With the names that the type has: nothing else makes these objects. */
function entriesOf<Name extends string>(counts: Readonly<Partial<Record<Name, number>>>): [Name, number][] {
  return Object.entries(counts) as [Name, number][]
}
