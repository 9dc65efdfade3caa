import { expect, test } from 'vitest'
import { readArtifactManifest } from '../../src/model/artifact-manifest.ts'
import { inputs, manifestOf } from './factories.ts'

const model = new Uint8Array([1, 2, 3])
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

test('reads what it describes, and leaves fields of later releases alone', () => {
  const manifest = manifestOf(model)
  expect(readArtifactManifest(bytes({ ...manifest, golden: [{ a: 1 }] }))).toEqual(manifest)
})

test('fills in what a small training script leaves out', () => {
  const left = { hyperparameters: undefined, performance: undefined, libraries: undefined }
  const outputs = [{ name: 'score', tensor: 'score' }]
  expect(readArtifactManifest(bytes({ ...manifestOf(model), ...left, outputs }))).toMatchObject({
    hyperparameters: {},
    performance: [],
    libraries: {},
    outputs: [{ name: 'score', tensor: 'score', column: 0 }],
  })
})

test.each<[string, Record<string, unknown>]>([
  ['a later format', { formatVersion: 3 }],
  ['no owner', { owner: '' }],
  ['a name that is no model name', { name: 'Churn/1' }],
  ['a fingerprint that is none', { inputs: [{ ...inputs('a')[0], fingerprint: 'abc' }] }],
  ['a text that is missing as no text', { inputs: [{ ...inputs('a')[0], type: 'text', missing: 0 }] }],
  ['a number that is missing as a text', { inputs: [{ ...inputs('a')[0], missing: 'none' }] }],
  ['scores of no classes', { outputs: [{ name: 'p', tensor: 'p', kind: 'scores' }] }],
  ['a class twice', { outputs: [{ name: 'p', tensor: 'p', kind: 'scores', classes: ['a', 'a'] }] }],
  ['no word on missing values', { inputs: [{ ...inputs('a')[0], missing: undefined }] }],
  ['no inputs', { inputs: [] }],
  ['an input twice', { inputs: inputs('a', 'a') }],
  ['no outputs', { outputs: [] }],
  ['an output twice', { outputs: [1, 2].map(() => ({ name: 'p', tensor: 'p' })) }],
  ['a range upside down', { outputs: [{ name: 'p', tensor: 'p', range: [1, 0] }] }],
  ['a time without an offset', { when: '2001-05-01T12:00:00' }],
  ['no training data', { trainingData: undefined }],
])('refuses %s', (_, changes) => {
  expect(() => readArtifactManifest(bytes({ ...manifestOf(model), ...changes }))).toThrow(
    expect.objectContaining({ code: 'manifest-invalid' }),
  )
})

test.each(['', '[]', 'null', '{"formatVersion":1', '\xff'])('refuses %j', text => {
  expect(() => readArtifactManifest(Buffer.from(text, 'latin1'))).toThrow(
    expect.objectContaining({ code: 'manifest-invalid' }),
  )
})
