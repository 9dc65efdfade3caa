// What the models said of a user at an instant: the versions that were in production then, by the log of their stage, run once
// more on these very features; and what moved an output between two instants.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { FeaturesBody } from '../features/features-body.ts'
import { modelRef } from '../model/model-refs.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { Prediction } from '../predictions/evaluated-user.ts'
import type { PinnedPredictor } from '../predictions/predictor.ts'
import type { UserMoment } from './explain-features.ts'
import type { Move } from './explain-moves.ts'
import { type InputShare, inputShares } from './input-shares.ts'

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
  /** What each moved input did, in shares that add up; undefined where the model has no value on the way from one to the other. */
  readonly shares: readonly InputShare[] | undefined
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
  const moved: MovedModel[] = []
  for (const [index, { name, inputs }] of pipeline.models.entries()) {
    const [from, to] = [before.models[index], after.models[index]]
    if (from === undefined || to === undefined || isSamePrediction(from.prediction, to.prediction)) continue
    const isOtherVersion = from.prediction.batchId !== to.prediction.batchId
    const own = after.moves.flatMap(move => (inputs.includes(move.name) ? [{ input: move.name, to: move.to }] : []))
    const shares = await inputShares(name, { body: values, inputs: own }, after.predictor)
    moved.push({ name, from, to, byVersionAlone: isOtherVersion ? asBefore[name] : undefined, shares })
  }
  return moved
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
