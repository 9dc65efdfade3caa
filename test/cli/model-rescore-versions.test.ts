// By which versions of the other models users are written, while one model is rescored.
import { expect, it } from 'vitest'
import { predictorOf } from '../../src/cli/model-rescore-versions.ts'
import { count } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { model } from '../../src/model/define.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { modelRegistry } from '../../src/model/registry.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { catalogWorld, REASON } from '../catalog/factories.ts'
import { order } from '../features/factories.ts'
import { artifactOf, inputs, zipOf } from '../model/factories.ts'

const customer = features({
  a: count(order, { within: '1h' }),
  b: count(order, { within: '1d' }),
  c: count(order, { within: '2d' }),
})
const [churn, other] = ['churn', 'other'].map(name =>
  model(name, { from: customer, inputs: ['a', 'b', 'c'], owner: 'ana' }),
)
if (churn === undefined || other === undefined) throw new Error('Two names are two models')
const compiled = compilePipeline(pipeline({ name: 'shop', features: customer, models: [churn, other] }))

it('is by what stands in for another model, as functions are, where its current version does not fit', async () => {
  const { catalog } = catalogWorld()
  const registry = modelRegistry(catalog)
  const defined = definedFeatures(compiled)
  const publish = async (name: string, version: string, isFitting = true): Promise<string> => {
    const own = inputs('a', 'b', 'c').map(input => ({
      ...input,
      fingerprint: isFitting ? (defined.get(input.name)?.fingerprint ?? '') : input.fingerprint,
    }))
    const zip = zipOf(artifactOf('wide', { name, inputs: own, libraries: { version } }))
    return (await registry.publish({ zip, stage: 'production', openSession: openOnnxSession, ...REASON })).batchId
  }
  const batchId = await publish('churn', '1')
  const fitting = await publish('other', '1')
  await publish('other', '2', false)
  const ports = { catalog, registry, openSession: openOnnxSession, checkInputs: () => undefined }
  const predictor = await predictorOf(compiled, ports, { model: 'churn', batchId, stage: 'production' })
  const [user] = await predictor.predict([{ asOf: 0, values: { a: 1, b: 2, c: 3 } }])
  expect(user?.models).toEqual({ churn: batchId, other: fitting })
  expect(user?.predictions.models).toMatchObject({ churn: { status: 'ok' }, other: { status: 'ok' } })
})
