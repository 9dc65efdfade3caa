import { describe, expect, it } from 'vitest'
import type { ArtifactManifest } from '../../src/model/artifact-manifest.ts'
import { type Distribution, distributionOf } from '../../src/model/distribution.ts'
import type { Prediction } from '../../src/predictions/evaluated-user.ts'
import { DriftCounts, type ModelDrift, type PinnedModel } from '../../src/snapshot/drift.ts'
import { driftLines } from '../../src/snapshot/drift-text.ts'
import { inputs, manifestOf } from '../model/factories.ts'

const hundred = Array.from({ length: 100 }, (_, index) => index)
const NUMBERS = distributionOf(hundred, 'number')
const CHANNELS = distributionOf(
  hundred.map(index => (index < 60 ? 'web' : 'app')),
  'text',
)

function pinned(changes: Partial<ArtifactManifest> = {}): PinnedModel {
  const [a, b] = inputs('amount', 'channel')
  if (a === undefined || b === undefined) throw new Error('no inputs')
  const manifest: ArtifactManifest = {
    ...manifestOf(new Uint8Array()),
    inputs: [
      { ...a, distribution: NUMBERS },
      { ...b, type: 'text', missing: 'web', distribution: CHANNELS },
    ],
    outputs: [{ name: 'score', kind: 'number', tensor: 'y', column: 0, distribution: NUMBERS }],
    ...changes,
  }
  return { name: 'churn', batchId: 'v1', manifest }
}

interface Who {
  readonly amount?: number | null
  readonly channel?: string | null
  readonly pending?: Readonly<Record<string, string>>
  readonly prediction?: Prediction
}

function driftOf(model: PinnedModel, users: readonly Who[]): ModelDrift {
  const counts = new DriftCounts([model])
  for (const { amount = 0, channel = 'web', pending, prediction = ok(amount ?? 0) } of users) {
    const features = { asOf: 0, values: { amount, channel }, ...(pending === undefined ? {} : { pending }) }
    counts.add({ features, predictions: { asOf: 0, models: { churn: prediction } } })
  }
  const [drift] = counts.report(() => 'ana')
  if (drift === undefined) throw new Error('no drift')
  return drift
}

const ok = (score: number): Prediction => ({ status: 'ok', batchId: 'v1', value: { score } })
const asTrained = hundred.map(index => ({ amount: index, channel: index < 60 ? 'web' : 'app' }))

describe('DriftCounts', () => {
  it('is 0 where everybody is as in training', () => {
    const drift = driftOf(pinned(), asTrained)
    expect(drift).toMatchObject({ model: 'churn', batchId: 'v1', owner: 'ana', inputPsi: 0, outputPsi: 0 })
    for (const column of [...drift.inputs, ...drift.outputs]) {
      expect(column).toMatchObject({
        psi: 0,
        reading: 'steady',
        missingShare: 0,
        missingShareInTraining: 0,
        counted: 100,
      })
    }
    expect(drift.outputs[0]).toMatchObject({ mean: 49.5, meanInTraining: 49.5 })
  })

  it('tells the input that moved from the one that did not', () => {
    const drift = driftOf(
      pinned(),
      asTrained.map(user => ({ ...user, amount: user.amount / 2 + 50, prediction: ok(user.amount) })),
    )
    expect(drift.inputs.map(({ reading }) => reading)).toEqual(['moved-much', 'steady'])
    expect(drift.outputs.map(({ reading }) => reading)).toEqual(['steady'])
    expect(drift.inputPsi).toBe(drift.inputs[0]?.psi)
  })

  it('has the share that is missing now and was in training', () => {
    const [column] = driftOf(
      pinned(),
      asTrained.map((user, index) => (index % 4 === 0 ? { ...user, amount: null, prediction: ok(user.amount) } : user)),
    ).inputs
    expect(column).toMatchObject({ missingShare: 0.25, missingShareInTraining: 0, counted: 100 })
    expect(column?.psi).toBeGreaterThan(1)
  })

  it('counts no feature that is not known yet, and no prediction that was not made', () => {
    const drift = driftOf(pinned(), [
      ...asTrained,
      { amount: null, pending: { amount: 'backfilling' }, prediction: { status: 'not-ready', batchId: 'v1' } },
      { amount: 5, prediction: { status: 'ok', batchId: 'v0', value: { score: 5 } } },
    ])
    expect(drift.inputs.map(({ counted }) => counted)).toEqual([101, 102])
    expect(drift.outputs.map(({ counted }) => counted)).toEqual([100])
    expect(drift.inputs[0]?.missingShare).toBe(0)
  })

  it('says unknown of papers without distributions, and not 0', () => {
    const bare = inputs('amount', 'channel')
    const outputs = [{ name: 'score', kind: 'number' as const, tensor: 'y', column: 0 }]
    const drift = driftOf(pinned({ formatVersion: 1, inputs: bare, outputs }), [{ amount: null }, { amount: 1 }])
    expect(drift).toMatchObject({ inputPsi: null, outputPsi: null })
    expect(drift.inputs[0]).toEqual({
      name: 'amount',
      psi: null,
      reading: 'unknown',
      missingShare: 0.5,
      missingShareInTraining: null,
      mean: null,
      meanInTraining: null,
      counted: 2,
    })
    expect(driftLines([drift])).toEqual([
      'Drift of churn v1 (owner ana), inputs and outputs: 0 as in training, 0 moved, 3 unknown',
    ])
  })

  it('says unknown where nobody was counted', () => {
    const drift = driftOf(pinned(), [])
    expect(drift).toMatchObject({ inputPsi: null, outputPsi: null })
    expect(drift.inputs[0]).toMatchObject({ psi: null, missingShare: null, counted: 0 })
  })

  it('leaves what may be chance out of the greatest', () => {
    const drift = driftOf(pinned(), [{ amount: 1 }, { amount: 2 }, { amount: 99 }])
    expect(drift.inputs.map(({ reading }) => reading)).toEqual(['too-few', 'too-few'])
    expect(drift.inputPsi).toBeNull()
  })

  it('takes of scores the class with the highest', () => {
    const distribution: Distribution = {
      kind: 'category',
      count: 100,
      missing: 0,
      values: { yes: 50, no: 50 },
      other: 0,
    }
    const model = pinned({
      outputs: [{ name: 'score', kind: 'scores', classes: ['yes', 'no'], tensor: 'y', column: 0, distribution }],
    })
    const scores = (yes: number): Prediction => ({
      status: 'ok',
      batchId: 'v1',
      value: { score: { yes, no: 1 - yes } },
    })
    const users = hundred.map(index => ({ amount: index, prediction: scores(index % 2 === 0 ? 0.9 : 0.1) }))
    expect(driftOf(model, users).outputs[0]).toMatchObject({ psi: 0, reading: 'steady', mean: null })
  })

  it('takes as much memory for many users as for few', () => {
    const counts = new DriftCounts([pinned()])
    const size = (): number => JSON.stringify(counts.report(() => 'ana')).length
    const add = (amount: number): void =>
      counts.add({
        features: { asOf: 0, values: { amount, channel: `c${amount}` } },
        predictions: { asOf: 0, models: {} },
      })
    add(1)
    const before = size()
    for (let index = 0; index < 20_000; index++) add(index)
    expect(size()).toBeLessThan(before + 100)
    expect(counts.report(() => 'ana')[0]?.inputs[1]?.counted).toBe(20_001)
  })
})

describe('driftLines', () => {
  it('has what moved, worst first, and counts the rest', () => {
    const users = asTrained.map(user => ({ amount: user.amount / 2 + 50, channel: 'web', prediction: ok(user.amount) }))
    const lines = driftLines([driftOf(pinned(), users)])
    expect(lines[0]).toBe('Drift of churn v1 (owner ana), inputs and outputs: 1 as in training, 2 moved')
    expect(lines[1]).toMatch(/^ {2}input channel: moved much, PSI \d\.\d{3}; missing 0\.0 %, was 0\.0 %$/)
    expect(lines[2]).toMatch(
      /^ {2}input amount: moved much, PSI \d\.\d{3}; missing 0\.0 %, was 0\.0 %, mean 74\.75, was 49\.5$/,
    )
    expect(lines).toHaveLength(3)
  })
})
