import { describe, expect, it } from 'vitest'
import type { ModelOutput } from '../../src/model/artifact-manifest.ts'
import { diffPredictions } from '../../src/model/diff-predictions.ts'
import { goldenInputRows, type InputRow, toFeatureValue } from '../../src/model/diff-rows.ts'
import type { ModelSession, OutputColumn } from '../../src/model/model-session.ts'
import { inputs, manifestOf } from './factories.ts'

interface Answering {
  readonly batchId: string
  readonly inputs?: readonly string[]
  readonly output?: Partial<ModelOutput>
  readonly answer: (columns: readonly (Float64Array | readonly string[])[]) => OutputColumn
  readonly refuses?: readonly number[]
}

function session({ batchId, inputs: names = ['a'], output = {}, answer, refuses = [] }: Answering): ModelSession {
  const outputs = [{ name: 'score', kind: 'number' as const, tensor: 'y', column: 0, ...output }]
  const manifest = { ...manifestOf(new Uint8Array()), inputs: inputs(...names), outputs }
  return {
    name: 'churn',
    batchId,
    manifest,
    run: async ({ columns }) => ({
      outputs: [answer(columns)],
      refusals: new Map(refuses.map(row => [row, 'score is NaN'])),
    }),
  }
}

const scaled =
  (factor: number) =>
  (columns: readonly (Float64Array | readonly string[])[]): OutputColumn =>
    Float64Array.from([...(columns[0] ?? [])].map(value => Number(value) * factor))
const rows: readonly InputRow[] = [0.1, 0.2, 0.3, 0.4].map(a => ({ values: { a, unused: 'x' } }))
const OPTIONS = { rows, tolerance: 0.15, moversMax: 2 }

describe('diffPredictions', () => {
  it('is nothing between a version and itself', async () => {
    const same = session({ batchId: 'v1', answer: scaled(1) })
    const found = await diffPredictions(same, same, OPTIONS)
    expect(found).toMatchObject({ rows: 4, compared: 4, leftOut: {} })
    expect(found.outputs).toEqual([
      { name: 'score', changedShare: 0, rankCorrelation: 1, meanBefore: 0.25, meanNow: 0.25, movers: [] },
    ])
  })

  it('has the share beyond the tolerance, the order, and who moved most', async () => {
    const [before, now] = [
      session({ batchId: 'v1', answer: scaled(1) }),
      session({ batchId: 'v2', answer: scaled(1.5) }),
    ]
    const [output] = (await diffPredictions(before, now, OPTIONS)).outputs
    expect(output).toMatchObject({ changedShare: 0.25, rankCorrelation: 1 })
    expect(output?.movers.map(({ row }) => row)).toEqual([3, 2])
    expect(output?.movers[0]?.before).toBeCloseTo(0.4, 9)
    expect(output?.movers[0]?.now).toBeCloseTo(0.6, 9)
  })

  it('sees an order that is turned round', async () => {
    const [before, now] = [
      session({ batchId: 'v1', answer: scaled(1) }),
      session({ batchId: 'v2', answer: scaled(-1) }),
    ]
    expect((await diffPredictions(before, now, OPTIONS)).outputs[0]?.rankCorrelation).toBe(-1)
  })

  it('leaves out whom one of the two cannot answer, and says why', async () => {
    const before = session({ batchId: 'v1', answer: scaled(1), refuses: [0] })
    const now = session({ batchId: 'v2', inputs: ['a', 'b'], answer: scaled(2) })
    const asked: InputRow[] = [
      { values: { a: 1, b: 1 } },
      { values: { a: 2, b: 2 } },
      { values: { a: 3 } },
      { values: { a: null, b: 4 }, pending: { a: 'backfilling' } },
    ]
    const found = await diffPredictions(before, now, { ...OPTIONS, rows: asked })
    expect(found).toMatchObject({
      rows: 4,
      compared: 1,
      leftOut: { 'v1 refuses them': 1, 'of v2: b is not there': 1, 'of v1: a is backfilling': 1 },
    })
    expect(found.outputs[0]?.movers).toEqual([{ row: 1, before: 2, now: 4 }])
  })

  it('does not make two models wait for features that neither takes', async () => {
    const same = session({ batchId: 'v1', answer: scaled(1) })
    const found = await diffPredictions(same, same, {
      ...OPTIONS,
      rows: [{ values: { a: 1, z: null }, pending: { z: 'backfilling' } }],
    })
    expect(found.compared).toBe(1)
  })

  it('compares labels as the same or another, and scores class by class', async () => {
    const label = (batchId: string, labels: readonly string[]) =>
      session({ batchId, output: { kind: 'label' }, answer: () => labels })
    const found = await diffPredictions(label('v1', ['x', 'x', 'y', 'y']), label('v2', ['x', 'y', 'y', 'y']), OPTIONS)
    expect(found.outputs).toEqual([
      {
        name: 'score',
        changedShare: 0.25,
        rankCorrelation: null,
        meanBefore: null,
        meanNow: null,
        movers: [{ row: 1, before: 'x', now: 'y' }],
      },
    ])
    const scores = (batchId: string, high: number) =>
      session({
        batchId,
        output: { kind: 'scores', classes: ['high', 'low'] },
        answer: () => rows.map((_, row) => ({ high: high + row / 100, low: 1 - high - row / 100 })),
      })
    const ofScores = await diffPredictions(scores('v1', 0.1), scores('v2', 0.3), OPTIONS)
    expect(ofScores.outputs.map(({ name, changedShare }) => [name, changedShare])).toEqual([
      ['score.high', 1],
      ['score.low', 1],
    ])
  })

  it('has no outputs where there is nobody to compare', async () => {
    const same = session({ batchId: 'v1', answer: scaled(1) })
    expect(await diffPredictions(same, same, { ...OPTIONS, rows: [] })).toMatchObject({ compared: 0, outputs: [] })
  })
})

describe('rows to ask about', () => {
  it('are golden ones by name, with nan as missing', () => {
    const [a, b] = inputs('a', 'b')
    if (a === undefined || b === undefined) throw new Error('no inputs')
    const manifest = { ...manifestOf(new Uint8Array()), inputs: [a, { ...b, type: 'text' as const, missing: '' }] }
    const golden = {
      formatVersion: 1 as const,
      synthetic: true,
      tolerance: 1e-5,
      inputs: [
        ['nan', 'nan'],
        [2, 3],
      ],
      outputs: {},
    }
    expect(goldenInputRows(golden, manifest)).toEqual([{ values: { a: null, b: 'nan' } }, { values: { a: 2, b: '3' } }])
  })

  it('are of a snapshot, whatever Parquet makes of numbers', () => {
    expect([5n, 5, 'a', true, null, undefined, { a: 1 }].map(toFeatureValue)).toEqual([
      5,
      5,
      'a',
      true,
      null,
      null,
      null,
    ])
  })
})
