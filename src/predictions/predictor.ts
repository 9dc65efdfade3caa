// Features of many users in, their predictions out, in one run of each model.
import type { FeaturesBody } from '../features/features-body.ts'
import type { ModelSession } from '../model/model-session.ts'
import type { PredictionsBody } from './evaluated-user.ts'

export interface PredictedUser {
  readonly predictions: PredictionsBody
  /** Model name → batch ID that the predictions were made with. */
  readonly models: Readonly<Record<string, string>>
}

/** Always the same versions of the models. */
export interface PinnedPredictor {
  /** One answer per user, in order. A model that fails is a status in the answer, never an exception. */
  predict(features: readonly FeaturesBody[]): Promise<readonly PredictedUser[]>
  /** Those that it predicts with, with their papers; a model that has no version is not among them. */
  readonly models?: readonly Pick<ModelSession, 'name' | 'batchId' | 'manifest'>[]
}

export interface Predictor {
  /** As of a pinned one, by the versions in production now. */
  predict(features: readonly FeaturesBody[]): Promise<readonly PredictedUser[]>
  /** Held to the versions in production now, for a run whose answers must not differ by when they were made. */
  pinned(): Promise<PinnedPredictor>
  /** Model name → batch ID in production now; absent where there is none. */
  production(): Promise<Readonly<Record<string, string>>>
}

export async function predictOne(
  predictor: Pick<Predictor, 'predict'>,
  features: FeaturesBody,
): Promise<PredictedUser> {
  const [first] = await predictor.predict([features])
  if (first === undefined) throw new Error('A predictor answered for nobody')
  return first
}
