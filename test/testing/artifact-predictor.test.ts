import { describe, expect, it } from 'vitest'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { userOf } from '../../src/testing/user-of.ts'
import { artifactOf, zipOf } from '../model/factories.ts'
import { churn, order, shop } from './shop.ts'

const defined = definedFeatures(compilePipeline(shop))
const inputs = churn.inputs.map(name => {
  const { fingerprint = '' } = defined.get(name) ?? {}
  return { name, fingerprint, type: 'number', missing: 0 } as const
})
const at = '2026-01-01T00:00:00Z'

describe('predictions in a test', () => {
  it('are what the artifact says of the features now', async () => {
    const ana = userOf(shop, { at, models: { churn: zipOf(artifactOf('wide', { inputs: [...inputs] })) } })
    ana.receives(order, { amount: 0.5, channel: 'app' })
    const first = await ana.predictions()
    expect(first['churn']).toMatchObject({ status: 'ok', value: { probability: expect.any(Number) } })
    ana.waits('30d')
    expect(await ana.predictions()).not.toEqual(first)
  })

  it('are no-model without one, and not-ready where it was trained on other definitions', async () => {
    const ana = userOf(shop, { at })
    ana.receives(order, { amount: 0.5, channel: 'app' })
    expect(await ana.predictions()).toEqual({ churn: { status: 'no-model' } })
    const bob = userOf(shop, { at, models: { churn: zipOf(artifactOf('wide')) } })
    bob.receives(order, { amount: 0.5, channel: 'app' })
    expect((await bob.predictions())['churn']).toMatchObject({ status: 'not-ready' })
  })

  it('refuse an artifact of another model', async () => {
    const ana = userOf(shop, { at, models: { lifetime: zipOf(artifactOf('wide')) } })
    ana.receives(order, { amount: 0.5, channel: 'app' })
    await expect(ana.predictions()).rejects.toThrow('The artifact of churn is given for the model lifetime')
  })
})
