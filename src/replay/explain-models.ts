// What the models said of a user at an instant: the versions that served then, run once more on these very features; and what moved an output between two instants.
import type { Catalog } from '../catalog/catalog.ts'
import type { FeaturesBody } from '../features/features-body.ts'
import { modelRef } from '../model/model-refs.ts'
import type { PapersAt } from '../model/stand-ins.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { Prediction } from '../predictions/evaluated-user.ts'
import type { PinnedPredictor } from '../predictions/predictor.ts'
import type { UserMoment } from './explain-features.ts'
import type { Move } from './explain-moves.ts'
import { servedBy, type Serving, servingAt } from './explain-serving.ts'
import { type InputShare, inputShares } from './input-shares.ts'

/** Model name → batch ID. */
export type Versions = Readonly<Record<string, string>>

/** Predictions by these versions and no other. */
export type PredictWith = (versions: Versions) => Promise<PinnedPredictor>

export interface ExplainedModel extends Serving {
  readonly name: string
  /** By what served. */
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

export interface ModelPorts {
  readonly catalog: Pick<Catalog, 'history'>
  readonly predictWith: PredictWith
  /** For what stands in for a version that does not fit; without it, none is looked for. */
  readonly papersAt?: PapersAt | undefined
}

export interface ModelsThen {
  readonly models: readonly ExplainedModel[]
  readonly predictor: PinnedPredictor
}

const NO_MODEL: Prediction = { status: 'no-model' }

/** `atMs`: the instant that is asked for, which is when a version has to have been current. */
export async function modelsAt(
  compiled: Pick<CompiledPipeline, 'pipeline' | 'features'>,
  { catalog, predictWith, papersAt }: ModelPorts,
  { moment, atMs }: { readonly moment: UserMoment; readonly atMs: number },
): Promise<ModelsThen> {
  const serving: (Serving & { readonly name: string })[] = []
  for (const model of compiled.pipeline.models) {
    const log = await catalog.history(modelRef(model.name))
    serving.push({ name: model.name, ...(await servingAt(log, { compiled, model, papersAt, atMs })) })
  }
  const versions = Object.fromEntries(
    serving.flatMap(one => {
      const batchId = servedBy(one)?.batchId
      return batchId === undefined ? [] : [[one.name, batchId]]
    }),
  )
  const predictor = await predictWith(versions)
  const predictions = await predict(predictor, bodyOf(moment))
  const models = serving.map(one => ({ ...one, prediction: predictions[one.name] ?? NO_MODEL }))
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
