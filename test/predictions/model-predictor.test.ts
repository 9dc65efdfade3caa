import { describe, expect, it } from 'vitest'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import { modelPredictor, type ServingModelSource } from '../../src/predictions/model-predictor.ts'

function user(asOf: number, orders: number): FeaturesBody {
  return { asOf, freshUntil: asOf + 10, values: { orders } }
}

function source(name: string, batchId: string | undefined, runs: number[] = []): ServingModelSource {
  const model = {
    batchId: batchId ?? '',
    predict: async (features: readonly FeaturesBody[]) => {
      runs.push(features.length)
      return features.map(({ values }) => ({
        status: 'ok' as const,
        batchId: batchId ?? '',
        value: { orders: Number(values['orders']) },
      }))
    },
  }
  return { name, current: async () => (batchId === undefined ? undefined : model) }
}

describe('modelPredictor', () => {
  it('runs each model once for all users, and names what each prediction was made with', async () => {
    const runs: number[] = []
    const predicted = await modelPredictor([source('churn', 'b1', runs), source('spend', undefined)]).predict([
      user(1, 5),
      user(2, 7),
    ])
    expect(runs).toEqual([2])
    expect(predicted[1]).toEqual({
      models: { churn: 'b1' },
      predictions: {
        asOf: 2,
        freshUntil: 12,
        models: { churn: { status: 'ok', batchId: 'b1', value: { orders: 7 } }, spend: { status: 'no-model' } },
      },
    })
  })

  it('asks no model for nobody', async () => {
    const runs: number[] = []
    expect(await modelPredictor([source('churn', 'b1', runs)]).predict([])).toEqual([])
    expect(runs).toEqual([])
  })

  it('says what is in production, and leaves out what is not', async () => {
    expect(await modelPredictor([source('churn', 'b2'), source('spend', undefined)]).production()).toEqual({
      churn: 'b2',
    })
  })
})
