// The pipeline's models over many users: one run of each model for all of them. A model that is missing, not ready or wrong is a
// status in each user's answer; features are stored and served all the same.
import type { FeaturesBody } from '../features/features-body.ts'
import type { ModelDefinition } from '../model/define.ts'
import { type DefinedFeature, fillInputRow, type InputPlan, planModelInputs } from '../model/model-inputs.ts'
import type { ModelSession } from '../model/model-session.ts'
import type { ModelSource } from '../model/model-source.ts'
import type { CompiledPipeline } from './compile-pipeline.ts'
import { definedFeatures } from './defined-features.ts'
import type { Prediction } from './evaluated-user.ts'
import type { PredictedUser, Predictor } from './predictor.ts'

const NO_MODEL: Prediction = { status: 'no-model' }

/** `sourceOf` is asked once per model of the pipeline. */
export function modelPredictor(
  { pipeline, features }: Pick<CompiledPipeline, 'pipeline' | 'features'>,
  sourceOf: (name: string) => ModelSource,
): Predictor {
  const defined = definedFeatures({ pipeline, features })
  const models = pipeline.models.map(definition => new ServedModel(definition, sourceOf(definition.name), defined))
  return {
    predict: bodies => predictAll(models, bodies),
    production: async () => {
      const batches = await Promise.all(models.map(async model => [model.name, await model.batchId()] as const))
      return Object.fromEntries(batches.flatMap(([name, batchId]) => (batchId === undefined ? [] : [[name, batchId]])))
    },
  }
}

async function predictAll(
  models: readonly ServedModel[],
  bodies: readonly FeaturesBody[],
): Promise<readonly PredictedUser[]> {
  if (bodies.length === 0) return []
  const answers = await Promise.all(models.map(model => model.predict(bodies)))
  const batches: Record<string, string> = {}
  for (const { name, batchId } of answers) if (batchId !== undefined) batches[name] = batchId
  return bodies.map(({ asOf, freshUntil }, index) => {
    const own: Record<string, Prediction> = {}
    for (const { name, predictions } of answers) own[name] = predictions[index] ?? NO_MODEL
    return { models: batches, predictions: { asOf, ...(freshUntil === undefined ? {} : { freshUntil }), models: own } }
  })
}

interface ModelAnswer {
  readonly name: string
  readonly batchId: string | undefined
  readonly predictions: readonly Prediction[]
}

class ServedModel {
  readonly name: string
  readonly #inputs: readonly string[]
  readonly #source: ModelSource
  readonly #defined: ReadonlyMap<string, DefinedFeature>
  /** Of the session it was planned for. */
  #plan: { readonly session: ModelSession; readonly inputs: InputPlan } | undefined

  constructor({ name, inputs }: ModelDefinition, source: ModelSource, defined: ReadonlyMap<string, DefinedFeature>) {
    this.name = name
    this.#inputs = inputs
    this.#source = source
    this.#defined = defined
  }

  batchId(): Promise<string | undefined> {
    return this.#source.batchId()
  }

  async predict(bodies: readonly FeaturesBody[]): Promise<ModelAnswer> {
    const session = await this.#source.session()
    if (session === undefined) return { name: this.name, batchId: undefined, predictions: bodies.map(() => NO_MODEL) }
    const { batchId } = session
    const plan = this.#planFor(session)
    if (plan.kind === 'not-ready') {
      const prediction: Prediction = { status: 'not-ready', batchId, detail: plan.detail }
      return { name: this.name, batchId, predictions: bodies.map(() => prediction) }
    }
    return { name: this.name, batchId, predictions: await runModel(session, plan.inputs, bodies) }
  }

  #planFor(session: ModelSession): InputPlan {
    if (this.#plan?.session !== session) {
      this.#plan = { session, inputs: planModelInputs(session.manifest, this.#inputs, this.#defined) }
    }
    return this.#plan.inputs
  }
}

async function runModel(
  session: ModelSession,
  inputs: Extract<InputPlan, { kind: 'ready' }>['inputs'],
  bodies: readonly FeaturesBody[],
): Promise<readonly Prediction[]> {
  const { batchId, manifest } = session
  const rows = new Float32Array(bodies.length * inputs.length)
  const predictions: Prediction[] = []
  /** Body index of each row that is run. */
  const runs: number[] = []
  for (const [index, body] of bodies.entries()) {
    const problem = fillInputRow(inputs, body, rows, runs.length * inputs.length)
    if (problem === undefined) runs.push(index)
    else predictions[index] = { status: 'not-ready', batchId, detail: problem }
  }
  if (runs.length === 0) return predictions
  try {
    const { outputs, refusals } = await session.run(rows.subarray(0, runs.length * inputs.length), runs.length)
    for (const [row, index] of runs.entries()) {
      const detail = refusals.get(row)
      predictions[index] =
        detail === undefined ? { status: 'ok', batchId, value: valueOf(row) } : { status: 'refused', batchId, detail }
    }

    function valueOf(row: number): Record<string, number> {
      return Object.fromEntries(
        manifest.outputs.map(({ name }, output) => [name, outputs[output]?.[row] ?? Number.NaN]),
      )
    }
  } catch (error) {
    // A model that fails on these very rows would fail again: a status, and the features are stored.
    const detail = error instanceof Error ? error.message : String(error)
    for (const index of runs) predictions[index] = { status: 'refused', batchId, detail }
  }
  return predictions
}
