// The pipeline's models over many users: one run of each model for all of them. A model that is missing, not ready or wrong is a
// status in each user's answer; features are stored and served all the same.
import type { FeaturesBody } from '../features/features-body.ts'
import type { Prediction } from './evaluated-user.ts'
import type { PredictedUser, Predictor } from './predictor.ts'

/** One model as it stands in production. */
export interface ServingModel {
  readonly batchId: string
  /** One answer per user, in order. Throws where the run as a whole fails. */
  predict(features: readonly FeaturesBody[]): Promise<readonly Prediction[]>
}

export interface ServingModelSource {
  readonly name: string
  /** What serves now; undefined where nothing was ever published. Never throws for a bad new batch: the one before serves. */
  current(): Promise<ServingModel | undefined>
}

const NO_MODEL: Prediction = { status: 'no-model' }

export function modelPredictor(sources: readonly ServingModelSource[]): Predictor {
  return {
    predict: features => predict(sources, features),
    production: async () => {
      const current = await Promise.all(
        sources.map(async ({ name, current }) => [name, (await current())?.batchId] as const),
      )
      return Object.fromEntries(current.flatMap(([name, batchId]) => (batchId === undefined ? [] : [[name, batchId]])))
    },
  }
}

async function predict(
  sources: readonly ServingModelSource[],
  features: readonly FeaturesBody[],
): Promise<readonly PredictedUser[]> {
  if (features.length === 0) return []
  const answers = await Promise.all(
    sources.map(async ({ name, current }) => {
      const model = await current()
      const predictions = model === undefined ? features.map(() => NO_MODEL) : await model.predict(features)
      return { name, batchId: model?.batchId, predictions }
    }),
  )
  const models: Record<string, string> = {}
  for (const { name, batchId } of answers) if (batchId !== undefined) models[name] = batchId
  return features.map(({ asOf, freshUntil }, index) => {
    const own: Record<string, Prediction> = {}
    for (const { name, predictions } of answers) own[name] = predictions[index] ?? NO_MODEL
    return { models, predictions: { asOf, ...(freshUntil === undefined ? {} : { freshUntil }), models: own } }
  })
}
