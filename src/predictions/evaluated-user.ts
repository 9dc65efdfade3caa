// One user's features and predictions at one instant: what `ft` and `pr` hold once inflated, and what a GET answers.
import type { FeaturesBody } from '../features/features-body.ts'
import type { OutputValue } from '../model/model-session.ts'

export type PredictionStatus = 'ok' | 'no-model' | 'not-ready' | 'refused'

export interface Prediction {
  readonly status: PredictionStatus
  /** Model version; absent with `no-model`. */
  readonly batchId?: string
  /** SHA-256 of the model's inputs and their fingerprints, the first 12 digits: what features it was made of. */
  readonly inputs?: string
  /** Output name → finite number, label, or finite number of each class; only with `ok`. */
  readonly value?: Readonly<Record<string, OutputValue>>
  /** Instead of the value where it is too long for an item: where its bytes are. */
  readonly spilled?: SpilledValue
  /** With `not-ready` and `refused`: what is missing or wrong, for people. */
  readonly detail?: string
}

export interface SpilledValue {
  /** Of the object in the state bucket, zlib JSON of the value. */
  readonly key: string
  /** Of the plain JSON. */
  readonly sha256: string
  readonly bytes: number
}

export interface PredictionsBody {
  readonly asOf: number
  readonly freshUntil?: number
  readonly models: Readonly<Record<string, Prediction>>
}

export interface EvaluatedUser {
  readonly features: FeaturesBody
  readonly predictions: PredictionsBody
  /** Model name → batch ID the predictions were made with. */
  readonly models: Readonly<Record<string, string>>
}
