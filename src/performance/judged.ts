// An outcome beside the prediction that stood for it, and why an outcome has none.
import { outputNumbers } from '../predictions/output-numbers.ts'
import type { Prediction } from '../predictions/evaluated-user.ts'
import type { SpillStore } from '../store/spill-store.ts'
import type { Outcome } from './outcomes.ts'

/** Undefined where the object is gone, or is not what it was. */
export type ReadSpill = SpillStore['read']

export interface Judged extends Outcome {
  readonly batchId: string
  readonly prediction: number
}

export interface JoinCounts {
  joined: number
  /** Nothing was predicted for the user in the time before the outcome that is asked for. */
  withoutPrediction: number
  /** What was there instead of a value: `no-model`, `not-ready`, `refused`. */
  withoutValue: number
  /** The value was too long for an item, and the object of its own in which it was is no longer there, or is not what it was. */
  gone: number
}

export function noJoins(): JoinCounts {
  return { joined: 0, withoutPrediction: 0, withoutValue: 0, gone: 0 }
}

/** What is kept of a prediction: the version and one of its numbers. */
export interface PredictedNumber {
  readonly batchId: string | undefined
  readonly value: number | undefined
  /** There was a value, and it is not to be had any more. */
  readonly isGone: boolean
}

/** `output`: a name as `outputNumbers` gives it. */
export function predictedNumber(prediction: Prediction | undefined, output: string): PredictedNumber {
  const { batchId, value, spilled } = prediction ?? {}
  const numbers = outputNumbers(value)
  return {
    batchId,
    value: Object.hasOwn(numbers, output) ? numbers[output] : undefined,
    isGone: spilled !== undefined,
  }
}

/** The same of a stored prediction, whose value may lie elsewhere. Throws what `readSpill` throws. */
export async function storedNumber(
  prediction: Prediction | undefined,
  output: string,
  readSpill: ReadSpill | undefined,
): Promise<PredictedNumber> {
  if (prediction?.spilled === undefined) return predictedNumber(prediction, output)
  const { spilled, ...rest } = prediction
  const value = await readSpill?.(spilled)
  return predictedNumber(value === undefined ? prediction : { ...rest, value }, output)
}

/** Counts what it finds; undefined where the outcome has nothing to be held against. */
export function judge(
  outcome: Outcome,
  predicted: PredictedNumber | undefined,
  counts: JoinCounts,
): Judged | undefined {
  if (predicted === undefined) counts.withoutPrediction++
  else if (predicted.batchId !== undefined && predicted.value !== undefined) {
    counts.joined++
    return { ...outcome, batchId: predicted.batchId, prediction: predicted.value }
  } else if (predicted.isGone) counts.gone++
  else counts.withoutValue++
  return undefined
}
