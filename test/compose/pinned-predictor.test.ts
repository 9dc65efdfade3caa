// Versions as users were scored by them, wherever they are.
import { expect, it } from 'vitest'
import { createPinnedPredictor } from '../../src/compose/predictor.ts'
import { count } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { model } from '../../src/model/define.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { modelRegistry } from '../../src/model/registry.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { catalogWorld, REASON } from '../catalog/factories.ts'
import { order } from '../features/factories.ts'
import { artifactOf, zipOf } from '../model/factories.ts'

it('opens a version that was never in production, as users are scored by one before it serves', async () => {
  const customer = features({ a: count(order, { within: '1h' }) })
  const churn = model('churn', { from: customer, inputs: ['a'], owner: 'ana' })
  const compiled = compilePipeline(pipeline({ name: 'shop', features: customer, models: [churn] }))
  const { catalog } = catalogWorld()
  const zip = zipOf(artifactOf('wide'))
  const { batchId } = await modelRegistry(catalog).publish({
    zip,
    stage: 'staging',
    openSession: openOnnxSession,
    ...REASON,
  })
  const { models } = await createPinnedPredictor(compiled, { catalog, versions: { churn: batchId } })
  expect(models).toMatchObject([{ name: 'churn', batchId }])
})
