// One user's features and predictions at one instant: what `ft` and `pr` hold once inflated, and what a GET answers.

export type FeatureValue = number | string | boolean | null

export interface FeaturesBody {
  /** Instant from which these values hold, ms. */
  readonly asOf: number
  /** Instant until which (exclusive) they hold if no event comes; absent: for ever. */
  readonly freshUntil?: number
  readonly values: Readonly<Record<string, FeatureValue>>
  /** Feature → why it is null for now: `backfilling`. */
  readonly pending?: Readonly<Record<string, string>>
}

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
