import { describe, expect, it } from 'vitest'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import { count, last } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { model } from '../../src/model/define.ts'
import { ModelError } from '../../src/model/errors.ts'
import type { ArtifactManifest } from '../../src/model/artifact-manifest.ts'
import { inputsName } from '../../src/model/model-inputs.ts'
import type { ModelSession } from '../../src/model/model-session.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { modelPredictor } from '../../src/predictions/model-predictor.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { order } from '../features/factories.ts'

const customer = features({
  orders: count(order, { within: '30d' }),
  points: last(order, 'points'),
  visits: count(order),
})
const churn = model('churn', { from: customer, inputs: ['orders', 'points'], owner: 'ana' })
const compiled = compilePipeline(pipeline({ name: 'shop', features: customer, models: [churn] }))

function user(asOf: number, orders: number, points: number | null = 1): FeaturesBody {
  return { asOf, freshUntil: asOf + 10, values: { orders, points, visits: 0 } }
}

const fingerprintOf = (name: string): string =>
  compiled.features.features.find(each => each.name === name)?.fingerprint ?? ''

const INPUTS = inputsName({
  inputs: ['orders', 'points'].map(name => ({ name, fingerprint: fingerprintOf(name) })),
} as ArtifactManifest)

/** A model that adds its inputs, and refuses sums of 13. */
function session(runs: number[], overrides: Partial<ArtifactManifest> = {}): ModelSession {
  const inputs = ['orders', 'points'].map(name => ({
    name,
    fingerprint: fingerprintOf(name),
    type: 'number' as const,
    missing: -1,
  }))
  const manifest = {
    inputs,
    outputs: [{ name: 'sum', tensor: 'y', column: 0 }],
    ...overrides,
  } as unknown as ArtifactManifest
  return {
    name: 'churn',
    batchId: 'b1',
    manifest,
    run: async ({ columns, rowCount }) => {
      runs.push(rowCount)
      const [orders = [], points = []] = columns
      const sums = Float64Array.from({ length: rowCount }, (_, row) => Number(orders[row]) + Number(points[row]))
      return {
        outputs: [sums],
        refusals: new Map(
          [...sums.entries()].filter(([, sum]) => sum === 13).map(([row]) => [row, 'sum is out of range']),
        ),
      }
    },
  }
}

/** As `session`, and it throws on any number of rows among which someone has this many orders. */
const BREAKS = 5000
function breaking(runs: number[]): ModelSession {
  const works = session(runs)
  return {
    ...works,
    run: async table => {
      const run = await works.run(table)
      if (!table.columns.some(column => [...column].includes(BREAKS))) return run
      throw new ModelError(`failed on ${table.rowCount} rows`, { code: 'model-run-failed' })
    },
  }
}

function predictor(
  current: ModelSession | undefined,
  onRunError?: (error: unknown) => void,
): ReturnType<typeof modelPredictor> {
  const source = (name: string) => ({ name, session: async () => current, batchId: async () => current?.batchId })
  return modelPredictor(compiled, source, onRunError)
}

describe('modelPredictor', () => {
  it('runs the model once for all users, and names what each prediction was made with', async () => {
    const runs: number[] = []
    const predicted = await predictor(session(runs)).predict([user(1, 5), user(2, 7, null)])
    expect(runs).toEqual([2])
    expect(predicted).toEqual([
      {
        models: { churn: 'b1' },
        predictions: {
          asOf: 1,
          freshUntil: 11,
          models: { churn: { status: 'ok', batchId: 'b1', inputs: INPUTS, value: { sum: 6 } } },
        },
      },
      {
        models: { churn: 'b1' },
        predictions: {
          asOf: 2,
          freshUntil: 12,
          models: { churn: { status: 'ok', batchId: 'b1', inputs: INPUTS, value: { sum: 6 } } },
        },
      },
    ])
  })

  it('answers no-model where none is published', async () => {
    const [predicted] = await predictor(undefined).predict([user(1, 5)])
    expect(predicted).toMatchObject({ models: {}, predictions: { models: { churn: { status: 'no-model' } } } })
    expect(await predictor(undefined).production()).toEqual({})
    expect(await predictor(session([])).production()).toEqual({ churn: 'b1' })
  })

  it('leaves a user whose input is pending out of the run, and gives everybody else their own row', async () => {
    const runs: number[] = []
    const waiting = { ...user(2, 0), pending: { orders: 'backfilling' } }
    const predicted = await predictor(session(runs)).predict([user(1, 5), waiting, user(3, 9)])
    expect(runs).toEqual([2])
    expect(predicted.map(each => each.predictions.models['churn'])).toEqual([
      { status: 'ok', batchId: 'b1', inputs: INPUTS, value: { sum: 6 } },
      { status: 'not-ready', batchId: 'b1', detail: 'orders is backfilling' },
      { status: 'ok', batchId: 'b1', inputs: INPUTS, value: { sum: 10 } },
    ])
  })

  it('is not ready while an input means something else than in training, whatever other features do', async () => {
    const runs: number[] = []
    const inputs = [{ name: 'orders', fingerprint: 'f'.repeat(64), type: 'number' as const, missing: 0 }]
    const [predicted] = await predictor(session(runs, { inputs })).predict([user(1, 5)])
    expect(predicted?.predictions.models['churn']).toMatchObject({ status: 'not-ready' })
    expect(runs).toEqual([])
  })

  it('never hands out a refused value', async () => {
    const [predicted] = await predictor(session([])).predict([user(1, 12)])
    expect(predicted?.predictions.models['churn']).toEqual({
      status: 'refused',
      batchId: 'b1',
      detail: 'sum is out of range',
    })
  })

  it.each([
    ['nobody', 40, []],
    ['one of many', 1000, [617]],
    ['some', 41, [0, 20, 40]],
    ['everybody', 8, [0, 1, 2, 3, 4, 5, 6, 7]],
  ])('answers each as alone where the run fails on %s, and tells why once', async (_, users, failing) => {
    const runs: number[] = []
    const told: unknown[] = []
    const bodies = Array.from({ length: users }, (_body, at) => user(at, failing.includes(at) ? BREAKS : at + 20))
    const together = await predictor(breaking(runs), error => told.push(error)).predict(bodies)
    expect(runs.length).toBeLessThanOrEqual(1 + failing.length * 2 * Math.ceil(Math.log2(users)))
    for (const [index, body] of bodies.entries()) {
      const alone = await predictor(breaking([])).predict([body])
      expect(together[index]).toEqual(alone[0])
      expect(together[index]?.predictions.models['churn']?.status).toBe(failing.includes(index) ? 'refused' : 'ok')
    }
    expect(told).toHaveLength(failing.length > 0 ? 1 : 0)
  })

  it('pinned, goes on with the version that was there, and with none where there was none', async () => {
    let current: ModelSession | undefined
    const source = (name: string) => ({ name, session: async () => current, batchId: async () => current?.batchId })
    const unpinned = modelPredictor(compiled, source)
    const versionOf = async ({ predict }: Pick<typeof unpinned, 'predict'>) => {
      const [predicted] = await predict([user(1, 5)])
      return predicted?.predictions.models['churn']?.batchId ?? 'none'
    }
    const none = await unpinned.pinned()
    current = session([])
    const first = await unpinned.pinned()
    current = { ...session([]), batchId: 'b2' }
    expect([await versionOf(none), await versionOf(first), await versionOf(unpinned)]).toEqual(['none', 'b1', 'b2'])
  })

  it('plans the inputs of each version anew', async () => {
    const other = [{ name: 'orders', fingerprint: 'f'.repeat(64), type: 'number' as const, missing: 0 }]
    let current = session([], { inputs: other })
    const unpinned = modelPredictor(compiled, name => ({
      name,
      session: async () => current,
      batchId: async () => current.batchId,
    }))
    const status = async () => (await unpinned.predict([user(1, 5)]))[0]?.predictions.models['churn']?.status
    expect(await status()).toBe('not-ready')
    current = { ...session([]), batchId: 'b2' }
    expect(await status()).toBe('ok')
    current = session([], { inputs: other })
    expect(await status()).toBe('not-ready')
  })

  it('answers models by name, in whatever order they are written', async () => {
    const models = ['zeal', 'churn'].map(name => model(name, { from: customer, inputs: ['orders'], owner: 'ana' }))
    const both = compilePipeline(pipeline({ name: 'shop', features: customer, models }))
    const source = (name: string) => ({ name, session: async () => undefined, batchId: async () => undefined })
    const [predicted] = await modelPredictor(both, source).predict([user(1, 5)])
    expect(Object.keys(predicted?.predictions.models ?? {})).toEqual(['churn', 'zeal'])
  })

  it('asks no model for nobody', async () => {
    const runs: number[] = []
    expect(await predictor(session(runs)).predict([])).toEqual([])
    expect(runs).toEqual([])
  })
})
