// The pipeline's models over many users: one run of each model for all of them. A model that is missing, not ready or wrong is a
// status in each user's answer; features are stored and served all the same. An answer follows from the user's own features and
// the model alone, whoever shares the run.
import type { FeaturesBody } from '../features/features-body.ts'
import type { ArtifactManifest, ModelInput } from '../model/artifact-manifest.ts'
import { type InputTable, sliceTable } from '../model/input-table.ts'
import { type InputPlan, InputRows, inputsName, planModelInputs } from '../model/model-inputs.ts'
import type { ModelRun, ModelSession } from '../model/model-session.ts'
import type { Misfit, ModelSource } from '../model/model-source.ts'
import { byCodePoint } from '../platform/canonical-json.ts'
import type { CompiledPipeline } from './compile-pipeline.ts'
import { definedFeatures } from './defined-features.ts'
import type { Prediction } from './evaluated-user.ts'
import type { PinnedPredictor, PredictedUser, Predictor } from './predictor.ts'
import { valueProblem } from './spill.ts'

const NO_MODEL: Prediction = { status: 'no-model' }
/** Always these words: what the runtime says may be about the machine, and goes to `onRunError`. */
const RUN_FAILED = 'the model fails on these inputs'

/**
 * `sourceOf` is asked once per model of the pipeline, and told what its versions are held against; `onRunError` gets what is behind each
 * run that failed.
 */
export function modelPredictor(
  { pipeline, features }: Pick<CompiledPipeline, 'pipeline' | 'features'>,
  sourceOf: (name: string, misfit: Misfit) => ModelSource,
  onRunError?: (error: unknown) => void,
): Predictor {
  const defined = definedFeatures({ pipeline, features })
  // By name, so that the order of writing changes no byte of an answer.
  const models = pipeline.models
    .toSorted((a, b) => byCodePoint(a.name, b.name))
    .map(definition => {
      const plan = (manifest: ArtifactManifest): InputPlan => planModelInputs(manifest, definition.inputs, defined)
      const misfit: Misfit = manifest => {
        const planned = plan(manifest)
        return planned.kind === 'ready' ? undefined : planned.detail
      }
      return new ServedModel({ name: definition.name, source: sourceOf(definition.name, misfit), plan, onRunError })
    })
  const pinned = async (): Promise<PinnedPredictor> => {
    const held = await Promise.all(models.map(async model => ({ model, session: await model.session() })))
    return { predict: bodies => predictAll(held, bodies), models: held.flatMap(({ session }) => session ?? []) }
  }
  return {
    predict: async bodies => (bodies.length === 0 ? [] : (await pinned()).predict(bodies)),
    pinned,
    production: async () => {
      const batches = await Promise.all(models.map(async model => [model.name, await model.batchId()] as const))
      return Object.fromEntries(batches.flatMap(([name, batchId]) => (batchId === undefined ? [] : [[name, batchId]])))
    },
  }
}

interface HeldModel {
  readonly model: ServedModel
  readonly session: ModelSession | undefined
}

async function predictAll(
  models: readonly HeldModel[],
  bodies: readonly FeaturesBody[],
): Promise<readonly PredictedUser[]> {
  if (bodies.length === 0) return []
  const answers = await Promise.all(models.map(({ model, session }) => model.predict(session, bodies)))
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

interface ServedModelOptions {
  readonly name: string
  readonly source: ModelSource
  readonly plan: (manifest: ArtifactManifest) => InputPlan
  readonly onRunError: ((error: unknown) => void) | undefined
}

class ServedModel {
  readonly #options: ServedModelOptions
  /** Of the session it was planned for. */
  #plan: { readonly session: ModelSession; readonly inputs: InputPlan } | undefined

  constructor(options: ServedModelOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.name
  }

  batchId(): Promise<string | undefined> {
    return this.#options.source.batchId()
  }

  session(): Promise<ModelSession | undefined> {
    return this.#options.source.session()
  }

  async predict(session: ModelSession | undefined, bodies: readonly FeaturesBody[]): Promise<ModelAnswer> {
    if (session === undefined) return { name: this.name, batchId: undefined, predictions: bodies.map(() => NO_MODEL) }
    const { batchId } = session
    const plan = this.#planFor(session)
    if (plan.kind === 'not-ready') {
      const prediction: Prediction = { status: 'not-ready', batchId, detail: plan.detail }
      return { name: this.name, batchId, predictions: bodies.map(() => prediction) }
    }
    return { name: this.name, batchId, predictions: await this.#run(session, plan.inputs, bodies) }
  }

  #planFor(session: ModelSession): InputPlan {
    if (this.#plan?.session !== session) {
      this.#plan = { session, inputs: this.#options.plan(session.manifest) }
    }
    return this.#plan.inputs
  }

  async #run(session: ModelSession, inputs: readonly ModelInput[], bodies: readonly FeaturesBody[]) {
    const rows = new InputRows(inputs, bodies.length)
    const predictions: Prediction[] = []
    /** Body index of each row that is run. */
    const runs: number[] = []
    for (const [index, body] of bodies.entries()) {
      const detail = rows.add(body)
      if (detail === undefined) runs.push(index)
      else predictions[index] = { status: 'not-ready', batchId: session.batchId, detail }
    }
    if (runs.length === 0) return predictions
    const answers = await runRows(session, rows.table(), this.#options.onRunError)
    for (const [row, answer] of answers.entries()) predictions[runs[row] as number] = answer
    return predictions
  }
}

/**
 * One prediction per row. Where a run fails, each half of it runs by itself, so that refused is only what fails alone: among n
 * rows a bad one costs 2 log2(n) runs more, and n bad ones 2n. The error of the whole run is told, not those of its parts.
 */
async function runRows(
  session: ModelSession,
  table: InputTable,
  onRunError?: (error: unknown) => void,
): Promise<readonly Prediction[]> {
  const { rowCount } = table
  let run: ModelRun
  try {
    run = await session.run(table)
  } catch (error) {
    onRunError?.(error)
    if (rowCount === 1) return [{ status: 'refused', batchId: session.batchId, detail: RUN_FAILED }]
    const half = rowCount >>> 1
    const before = await runRows(session, sliceTable(table, 0, half))
    return [...before, ...(await runRows(session, sliceTable(table, half, rowCount)))]
  }
  const inputs = inputsName(session.manifest)
  return Array.from({ length: rowCount }, (_, row) => predictionOf(session, run, { row, inputs }))
}

interface AnsweredRow {
  readonly row: number
  readonly inputs: string
}

function predictionOf(
  { batchId, manifest }: ModelSession,
  { outputs, refusals }: ModelRun,
  { row, inputs }: AnsweredRow,
): Prediction {
  const detail = refusals.get(row)
  if (detail !== undefined) return { status: 'refused', batchId, detail }
  const values = manifest.outputs.map(({ name }, output) => [name, outputs[output]?.[row] ?? Number.NaN] as const)
  const value = Object.fromEntries(values)
  const tooLong = valueProblem(value)
  if (tooLong !== undefined) return { status: 'refused', batchId, detail: tooLong }
  return { status: 'ok', batchId, inputs, value }
}
