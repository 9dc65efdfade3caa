// One user's features and predictions at one instant: what `ft` and `pr` hold once inflated, and what a GET answers.
import type { FeaturesBody } from '../features/features-body.ts'

export type PredictionStatus = 'ok' | 'no-model' | 'not-ready' | 'refused'

export interface Prediction {
  readonly status: PredictionStatus
  /** Model version; absent with `no-model`. */
  readonly batchId?: string
  /** Output name → finite number; only with `ok`. */
  readonly value?: Readonly<Record<string, number>>
  /** With `not-ready` and `refused`: what is missing or wrong, for people. */
  readonly detail?: string
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
