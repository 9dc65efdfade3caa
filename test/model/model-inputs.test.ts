import { expect, test } from 'vitest'
import type { ModelInput } from '../../src/model/artifact-manifest.ts'
import { type DefinedFeature, fillInputRow, planModelInputs } from '../../src/model/model-inputs.ts'
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
]

test('writes numbers, flags as 0 and 1, and the manifest’s value where a feature is null', () => {
  const rows = new Float32Array(6)
  expect(
    fillInputRow(rowInputs, { values: { orders: 7, spend: 0.5, gift: true, other: 'x' } }, rows, 0),
  ).toBeUndefined()
  expect(fillInputRow(rowInputs, { values: { orders: null, spend: null, gift: false } }, rows, 3)).toBeUndefined()
  expect([...rows]).toEqual([7, 0.5, 1, -1, Number.NaN, 0])
})

test.each<[string, Parameters<typeof fillInputRow>[1], string]>([
  [
    'pending',
    { values: { orders: null, spend: 1, gift: true }, pending: { orders: 'backfilling' } },
    'orders is backfilling',
  ],
  ['not there', { values: { orders: 1, gift: true } }, 'spend is not there'],
  ['text', { values: { orders: 1, spend: '12.50', gift: true } }, 'spend is not a number'],
  ['beyond 32 bits', { values: { orders: 1, spend: 1e39, gift: true } }, 'spend is beyond 32 bits'],
])('refuses a row with an input that is %s', (_, readings, reason) => {
  expect(fillInputRow(rowInputs, readings, new Float32Array(3), 0)).toBe(reason)
})

test('a pending feature that is no input does not matter', () => {
  const readings = { values: { orders: 1, spend: 2, gift: true, other: null }, pending: { other: 'backfilling' } }
  expect(fillInputRow(rowInputs, readings, new Float32Array(3), 0)).toBeUndefined()
})
