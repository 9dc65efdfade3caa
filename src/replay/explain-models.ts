// What the models said of a user at an instant: the versions that were in production then, by the log of their stage, run once
// more on these very features; and what moved an output between two instants.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { FeaturesBody, FeatureValue } from '../features/features-body.ts'
import { modelRef } from '../model/registry.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { Prediction } from '../predictions/evaluated-user.ts'
import type { PinnedPredictor } from '../predictions/predictor.ts'
import type { UserMoment } from './explain-features.ts'
import type { Move } from './explain-moves.ts'

/** Model name → batch ID. */
export type Versions = Readonly<Record<string, string>>

/** Predictions by these versions and no other. */
export type PredictWith = (versions: Versions) => Promise<PinnedPredictor>

export interface ExplainedModel {
  readonly name: string
  /** What made the version current; undefined where none was. */
  readonly entry: LogEntry | undefined
  readonly prediction: Prediction
}

export interface MovedModel {
  readonly name: string
  readonly from: ExplainedModel
  readonly to: ExplainedModel
  /** The features of before by the version of after, where the version is another one. */
  readonly byVersionAlone: Prediction | undefined
  /** Each moved input by itself, all else as before: what the output would have been. */
  readonly byInputAlone: readonly { readonly input: string; readonly prediction: Prediction }[]
}

export interface ModelsThen {
  readonly models: readonly ExplainedModel[]
  readonly predictor: PinnedPredictor
}

const NO_MODEL: Prediction = { status: 'no-model' }

/** `atMs`: the instant that is asked for, which is when a version has to have been current. */
export async function modelsAt(
  { pipeline }: Pick<CompiledPipeline, 'pipeline'>,
  { catalog, predictWith }: { readonly catalog: Pick<Catalog, 'history'>; readonly predictWith: PredictWith },
  { moment, atMs }: { readonly moment: UserMoment; readonly atMs: number },
): Promise<ModelsThen> {
  const entries = new Map<string, LogEntry>()
  for (const { name } of pipeline.models) {
    // Newest first.
    const entry = (await catalog.history(modelRef(name))).find(({ at }) => at <= atMs)
    if (entry !== undefined) entries.set(name, entry)
  }
  const versions = Object.fromEntries([...entries].map(([name, { batchId }]) => [name, batchId]))
  const predictor = await predictWith(versions)
  const predictions = await predict(predictor, bodyOf(moment))
  const models = pipeline.models.map(({ name }) => ({
    name,
    entry: entries.get(name),
    prediction: predictions[name] ?? NO_MODEL,
  }))
  return { models, predictor }
}

/** Models whose output or version moved. */
export async function movedModels(
  { pipeline }: Pick<CompiledPipeline, 'pipeline'>,
  before: ModelsThen & { readonly moment: UserMoment },
  after: ModelsThen & { readonly moves: readonly Move[] },
): Promise<readonly MovedModel[]> {
  const values = bodyOf(before.moment)
  const asBefore = await predict(after.predictor, values)
  const alone = new Map<string, Readonly<Record<string, Prediction>>>()
  for (const { name, to } of after.moves) alone.set(name, await predict(after.predictor, withValue(values, name, to)))
  return pipeline.models.flatMap(({ name, inputs }, index) => {
    const [from, to] = [before.models[index], after.models[index]]
    if (from === undefined || to === undefined || isSamePrediction(from.prediction, to.prediction)) return []
    const isOtherVersion = from.prediction.batchId !== to.prediction.batchId
    const byInputAlone = inputs.flatMap(input => {
      const prediction = alone.get(input)?.[name]
      return prediction === undefined ? [] : [{ input, prediction }]
    })
    return [{ name, from, to, byVersionAlone: isOtherVersion ? asBefore[name] : undefined, byInputAlone }]
  })
}

export function isSamePrediction(a: Prediction, b: Prediction): boolean {
  return a.status === b.status && a.batchId === b.batchId && JSON.stringify(a.value) === JSON.stringify(b.value)
}

export async function predict(
  predictor: PinnedPredictor,
  body: FeaturesBody,
): Promise<Readonly<Record<string, Prediction>>> {
  const [predicted] = await predictor.predict([body])
  return predicted?.predictions.models ?? {}
}

export function bodyOf({ atMs, features }: UserMoment): FeaturesBody {
  return { asOf: atMs, values: Object.fromEntries(features.map(({ name, value }) => [name, value])) }
}

function withValue(body: FeaturesBody, name: string, value: FeatureValue): FeaturesBody {
  return { ...body, values: { ...body.values, [name]: value } }
}
