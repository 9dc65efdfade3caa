import { expect, test } from 'vitest'
import type { ModelInput } from '../../src/model/artifact-manifest.ts'
import { type DefinedFeature, InputRows, planModelInputs } from '../../src/model/model-inputs.ts'
import { inputs, manifestOf } from './factories.ts'

const manifest = manifestOf(new Uint8Array(0), { inputs: inputs('orders', 'spend') })

function defined(...listed: readonly ModelInput[]): Map<string, DefinedFeature> {
  return new Map(listed.map(({ name, fingerprint, type }) => [name, { fingerprint, type }]))
}

test('is ready, in the order of the manifest, when names, types and fingerprints agree', () => {
  const features = defined(...inputs('spend', 'orders', 'other'))
  expect(planModelInputs(manifest, ['spend', 'orders'], features)).toEqual({ kind: 'ready', inputs: manifest.inputs })
})

test('does not care about any other feature', () => {
  const features = defined(...inputs('spend', 'orders'))
  features.set('other', { fingerprint: 'changed', type: 'text' })
  expect(planModelInputs(manifest, ['spend', 'orders'], features).kind).toBe('ready')
})

test.each<[string, (features: Map<string, DefinedFeature>) => readonly string[], string]>([
  ['was not trained with', () => ['orders', 'spend', 'extra'], 'trained without extra'],
  ['is not an input any more', () => ['orders'], 'spend is not an input'],
  [
    'is defined otherwise',
    features => (features.set('spend', { fingerprint: 'x', type: 'number' }), ['orders', 'spend']),
    'spend was defined otherwise',
  ],
  ['is gone', features => (features.delete('spend'), ['orders', 'spend']), 'spend is not defined'],
])('is not ready, and says why, when an input %s', (_, prepare, words) => {
  const features = defined(...inputs('orders', 'spend', 'extra'))
  const names = prepare(features)
  expect(planModelInputs(manifest, names, features)).toEqual({
    kind: 'not-ready',
    detail: expect.stringContaining(words),
  })
})

test('is not ready where the type differs', () => {
  const features = defined(...inputs('orders', 'spend'))
  const spend = manifest.inputs[1]
  features.set('spend', { fingerprint: spend?.fingerprint ?? '', type: 'flag' })
  expect(planModelInputs(manifest, ['orders', 'spend'], features)).toMatchObject({
    detail: 'spend is flag, not number',
  })
})

const rowInputs: ModelInput[] = [
  { ...inputs('orders')[0], missing: -1 } as ModelInput,
  ...inputs('spend'),
  { ...inputs('gift')[0], type: 'flag' } as ModelInput,
  { ...inputs('plan')[0], type: 'text', missing: 'none' } as ModelInput,
]

test('writes numbers, flags as 0 and 1, texts, and the manifest’s value where a feature is null', () => {
  const rows = new InputRows(rowInputs, 3)
  expect(rows.add({ values: { orders: 7, spend: 0.5, gift: true, plan: 'gold', other: 'x' } })).toBeUndefined()
  expect(rows.add({ values: { orders: 1, spend: 'much', gift: true, plan: 'gold' } })).toBe('spend is not a number')
  expect(rows.add({ values: { orders: null, spend: null, gift: false, plan: null } })).toBeUndefined()
  expect(rows.table()).toEqual({
    rowCount: 2,
    columns: [Float64Array.of(7, -1), Float64Array.of(0.5, Number.NaN), Float64Array.of(1, 0), ['gold', 'none']],
  })
})

test.each<[string, Parameters<InputRows['add']>[0], string]>([
  [
    'pending',
    { values: { orders: null, spend: 1, gift: true, plan: '' }, pending: { orders: 'backfilling' } },
    'orders is backfilling',
  ],
  ['not there', { values: { orders: 1, gift: true, plan: '' } }, 'spend is not there'],
  ['text', { values: { orders: 1, spend: '12.50', gift: true, plan: '' } }, 'spend is not a number'],
  ['no text', { values: { orders: 1, spend: 1, gift: true, plan: 3 } }, 'plan is not a text'],
])('refuses a row with an input that is %s', (_, readings, reason) => {
  const rows = new InputRows(rowInputs, 1)
  expect(rows.add(readings)).toBe(reason)
  expect(rows.rowCount).toBe(0)
})

test('a pending feature that is no input does not matter', () => {
  const values = { orders: 1, spend: 2, gift: true, plan: '', other: null }
  expect(new InputRows(rowInputs, 1).add({ values, pending: { other: 'backfilling' } })).toBeUndefined()
})
