// A model depends on its own inputs and on no other feature: from the registry to the answer, over deploys that add, remove and change
// features.
import { beforeEach, expect, test } from 'vitest'
import { count, last } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import type { FeaturesBody, FeatureValue } from '../../src/features/features-body.ts'
import { model } from '../../src/model/define.ts'
import type { ModelInput } from '../../src/model/artifact-manifest.ts'
import { modelSource } from '../../src/model/model-source.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { type ModelRegistry, modelRegistry } from '../../src/model/registry.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { modelPredictor } from '../../src/predictions/model-predictor.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import type { Predictor } from '../../src/predictions/predictor.ts'
import { type CatalogWorld, catalogWorld, REASON } from '../catalog/factories.ts'
import { order } from '../features/factories.ts'
import { artifactOf, zipOf } from '../model/factories.ts'

const REFRESH_MS = 30_000
const USERS: readonly Readonly<Record<string, FeatureValue>>[] = [
  { a: 1, b: 2, c: 3 },
  { a: 7, b: 0, c: 4 },
]

function defined(b: { within: '1d' | '2d' | '3d' }, hasOther: boolean) {
  const inputs = { a: count(order, { within: '30d' }), b: count(order, b), c: last(order, 'points') }
  const set = features({ ...inputs, ...(hasOther ? { d: count(order) } : {}) })
  const churn = model('churn', { from: set, inputs: ['a', 'b', 'c'], owner: 'ana' })
  return compilePipeline(pipeline({ name: 'shop', features: set, models: [churn] }))
}

const PLAIN = defined({ within: '1d' }, false)
const WITH_OTHER = defined({ within: '1d' }, true)
const CHANGED = defined({ within: '2d' }, false)
const CHANGED_AGAIN = defined({ within: '3d' }, false)

let world: CatalogWorld
let registry: ModelRegistry
let nowMs = 0
beforeEach(() => {
  world = catalogWorld()
  registry = modelRegistry(world.catalog)
  nowMs = 0
})

function inputsOf(compiled: typeof PLAIN): ModelInput[] {
  const all = definedFeatures(compiled)
  return ['a', 'b', 'c'].map(name => ({
    name,
    fingerprint: all.get(name)?.fingerprint ?? '',
    type: 'number',
    missing: 'nan',
  }))
}

async function publish(trainedOn: typeof PLAIN): Promise<string> {
  const zip = zipOf(artifactOf('wide', { inputs: inputsOf(trainedOn) }))
  return (await registry.publish({ zip, openSession: openOnnxSession, ...REASON })).batchId
}

/** A process that was deployed with these definitions. */
function deploy(compiled: typeof PLAIN) {
  const problems: string[] = []
  const predictor = modelPredictor(compiled, (name, misfit) =>
    modelSource({
      name,
      misfit,
      registry,
      openSession: openOnnxSession,
      clock: () => nowMs,
      refreshMs: REFRESH_MS,
      onProblem: error => problems.push(String(error)),
    }),
  )
  return { predictor, problems }
}

async function answers({ predict }: Pick<Predictor, 'predict'>, others: Readonly<Record<string, FeatureValue>> = {}) {
  const bodies: FeaturesBody[] = USERS.map(values => ({ asOf: 1, values: { ...values, ...others } }))
  return (await predict(bodies)).map(({ models, predictions }) => ({ models, ...predictions.models['churn'] }))
}

test('is untouched by a feature that it does not use, added and removed', async () => {
  const batchId = await publish(PLAIN)
  const before = await answers(deploy(PLAIN).predictor)
  expect(before.map(({ status, models }) => ({ status, models }))).toEqual(
    USERS.map(() => ({ status: 'ok', models: { churn: batchId } })),
  )
  expect(new Set(before.map(({ value }) => value?.['probability'])).size).toBe(USERS.length)
  expect(await answers(deploy(WITH_OTHER).predictor, { d: 12 })).toEqual(before)
  expect(await answers(deploy(WITH_OTHER).predictor, { d: null })).toEqual(before)
  expect(await answers(deploy(PLAIN).predictor)).toEqual(before)
})

test('is not ready where a feature that it uses has changed, and says which', async () => {
  const batchId = await publish(PLAIN)
  const { predictor } = deploy(CHANGED)
  const detail = 'b was defined otherwise when it was trained'
  expect(await answers(predictor)).toEqual(
    USERS.map(() => ({ models: { churn: batchId }, status: 'not-ready', batchId, detail })),
  )
  expect(await predictor.production()).toEqual({ churn: batchId })
})

test('is stood in for by the version before that was trained on the definition as it is now', async () => {
  const before = await publish(CHANGED)
  const current = await publish(PLAIN)
  const { predictor, problems } = deploy(CHANGED)
  const served = await answers(predictor)
  expect(served.map(({ status, batchId, models }) => [status, batchId, models])).toEqual(
    USERS.map(() => ['ok', before, { churn: before }]),
  )
  expect(await predictor.production()).toEqual({ churn: before })
  expect(problems).toEqual([
    expect.stringContaining(`${current} does not fit the definitions: b was defined otherwise`),
  ])
  // What was deployed before goes on with the current one.
  expect((await answers(deploy(PLAIN).predictor)).map(({ batchId }) => batchId)).toEqual([current, current])
})

test('serves again within the refresh time once a version of the new definition is published', async () => {
  await publish(PLAIN)
  await publish(CHANGED)
  const { predictor } = deploy(CHANGED_AGAIN)
  expect((await answers(predictor)).map(({ status }) => status)).toEqual(['not-ready', 'not-ready'])
  const next = await publish(CHANGED_AGAIN)
  expect((await answers(predictor))[0]?.status).toBe('not-ready')
  nowMs += REFRESH_MS
  expect((await answers(predictor)).map(({ status, batchId }) => [status, batchId])).toEqual([
    ['ok', next],
    ['ok', next],
  ])
})
