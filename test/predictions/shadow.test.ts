// Models that are computed and not served, and several models of one user.
import { describe, expect, it } from 'vitest'
import { model } from '../../src/model/define.ts'
import type { InputTable } from '../../src/model/input-table.ts'
import type { ModelSession } from '../../src/model/model-session.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { describePipeline } from '../../src/predictions/definitions.ts'
import { diffDefinitions } from '../../src/predictions/definitions-diff.ts'
import { modelPredictor } from '../../src/predictions/model-predictor.ts'
import { pipeline, shadowNames } from '../../src/predictions/pipeline.ts'
import { PREDICTION_BYTES_MAX } from '../../src/predictions/spill.ts'
import { customer } from '../features/factories.ts'
import { harness, orderRecord, stored } from '../recompute/harness.ts'

const options = { from: customer, inputs: ['orders30d'], owner: 'ana' } as const
const churn = model('churn', options)
const next = model('churn-next', { ...options, shadowOf: 'churn' })

const shopOf = (...models: Parameters<typeof pipeline>[0]['models']) =>
  compilePipeline(pipeline({ name: 'shop', features: customer, models }))

describe('a shadow', () => {
  it('is of a model of the pipeline that is served, and not of itself', () => {
    expect(() => model('churn', { ...options, shadowOf: 'churn' })).toThrow('a shadow of itself')
    expect(() => shopOf(next)).toThrow('a shadow of churn, which is not there')
    const third = model('third', { ...options, shadowOf: 'churn-next' })
    expect(() => shopOf(churn, next, third)).toThrow('which is a shadow itself')
    expect(shadowNames(shopOf(next, churn).pipeline)).toEqual(new Set(['churn-next']))
  })

  it('that takes its place changes nothing that items are made by', () => {
    const promoted = model('churn-next', options)
    expect(shopOf(churn, promoted).definitions).toBe(shopOf(churn, next).definitions)
    expect(shopOf(churn).definitions).not.toBe(shopOf(churn, next).definitions)
  })

  it('is in what a deploy records and shows', () => {
    const [before, after] = [
      describePipeline(shopOf(churn, model('churn-next', options))),
      describePipeline(shopOf(churn, next)),
    ]
    expect(after.models.find(({ name }) => name === 'churn-next')).toMatchObject({ shadowOf: 'churn' })
    expect(before.models.every(each => !('shadowOf' in each))).toBe(true)
    expect(JSON.stringify(diffDefinitions(before, after).models)).toContain('churn')
  })

  it('is stored like any other, and what it says is in no count of what is served', async () => {
    const compiled = shopOf(churn, next)
    const predictor = predictorOf(compiled, { 'churn-next': 'refuses' })
    const run = harness({ compiled, predictor })
    const { counts } = await run.deliver([orderRecord(1, 1)])
    expect(counts.predictions).toEqual({ ok: 1 })
    expect(Object.keys((await stored(run, 'ana')).models)).toEqual(['churn', 'churn-next'])
  })
})

describe('two models of a user', () => {
  it('fare each by itself, and in whatever order they are written, the item has the same bytes', async () => {
    const other = model('other', options)
    const items = []
    for (const compiled of [shopOf(churn, other), shopOf(other, churn)]) {
      const run = harness({ compiled, predictor: predictorOf(compiled, { other: 'refuses' }) })
      await run.deliver([orderRecord(1, 1)])
      items.push(await stored(run, 'ana'))
      const [answer] = await run.dependencies.predictor.predict([{ asOf: 1, values: { orders30d: 3 } }])
      expect(answer?.predictions.models).toMatchObject({
        churn: { status: 'ok', value: { sum: 3 } },
        other: { status: 'refused' },
      })
    }
    expect(items[0]).toEqual(items[1])
  })
})

describe('a value that no answer could have', () => {
  it('is refused', async () => {
    const compiled = shopOf(churn)
    const [answer] = await predictorOf(compiled, { churn: 'is long' }).predict([{ asOf: 1, values: { orders30d: 3 } }])
    expect(answer?.predictions.models['churn']).toEqual({
      status: 'refused',
      batchId: 'b-churn',
      detail: `the value has more than ${PREDICTION_BYTES_MAX} bytes of JSON`,
    })
  })
})

type Ways = Readonly<Record<string, 'refuses' | 'is long'>>

/** Models that answer with their input. */
function predictorOf(compiled: ReturnType<typeof shopOf>, ways: Ways) {
  const fingerprint = compiled.features.features.find(({ name }) => name === 'orders30d')?.fingerprint
  return modelPredictor(compiled, name => {
    const session = {
      name,
      batchId: `b-${name}`,
      manifest: {
        inputs: [{ name: 'orders30d', fingerprint, type: 'number', missing: 0 }],
        outputs: [{ name: 'sum', tensor: 'y', column: 0 }],
      },
      run: async ({ columns }: InputTable) => ({
        outputs: [ways[name] === 'is long' ? ['x'.repeat(PREDICTION_BYTES_MAX)] : [...(columns[0] ?? [])]],
        refusals: ways[name] === 'refuses' ? new Map([[0, 'no']]) : new Map(),
      }),
    } as unknown as ModelSession
    return { name, session: async () => session, batchId: async () => session.batchId }
  })
}
