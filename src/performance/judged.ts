// An outcome beside the prediction that stood for it, and why an outcome has none.
import { outputNumbers } from '../predictions/output-numbers.ts'
import type { Prediction } from '../predictions/evaluated-user.ts'
import type { Outcome } from './outcomes.ts'

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
  /** The value was too long for the item and lies in an object of its own, which is not read here. */
  spilled: number
}

export function noJoins(): JoinCounts {
  return { joined: 0, withoutPrediction: 0, withoutValue: 0, spilled: 0 }
}

/** What is kept of a prediction: the version and one of its numbers. */
export interface PredictedNumber {
  readonly batchId: string | undefined
  readonly value: number | undefined
  readonly isSpilled: boolean
}

/** `output`: a name as `outputNumbers` gives it. */
export function predictedNumber(prediction: Prediction | undefined, output: string): PredictedNumber {
  const { batchId, value, spilled } = prediction ?? {}
  const numbers = outputNumbers(value)
  return {
    batchId,
    value: Object.hasOwn(numbers, output) ? numbers[output] : undefined,
    isSpilled: spilled !== undefined,
  }
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
  } else if (predicted.isSpilled) counts.spilled++
  else counts.withoutValue++
  return undefined
}
