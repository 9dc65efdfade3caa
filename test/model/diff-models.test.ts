import { describe, expect, it } from 'vitest'
import type { ArtifactManifest, ManifestInput } from '../../src/model/artifact-manifest.ts'
import { diffPapers } from '../../src/model/diff-models.ts'
import { distributionOf } from '../../src/model/distribution.ts'
import { inputs, manifestOf } from './factories.ts'

const manifest = (changes: Partial<ManifestInput> = {}): ArtifactManifest => manifestOf(new Uint8Array([1]), changes)
const low = distributionOf(
  Array.from({ length: 500 }, (_, index) => index),
  'number',
)
const high = distributionOf(
  Array.from({ length: 500 }, (_, index) => (index % 5 === 0 ? null : index + 400)),
  'number',
)

describe('diffPapers', () => {
  it('finds nothing between papers and themselves', () => {
    const found = diffPapers(manifest(), manifest())
    expect(found.changes).toEqual([])
    expect(found.inputs.map(({ change, changed }) => ({ change, changed }))).toEqual(
      ['a', 'b', 'c'].map(() => ({ change: 'kept', changed: [] })),
    )
    expect(found.metrics).toEqual([{ metric: 'auc', slice: 'all', before: 0.71, now: 0.71, difference: 0 }])
  })

  it('compares hyperparameters, training data and libraries one by one', () => {
    const now = manifest({
      hyperparameters: { trees: 20, rate: 0.1 },
      trainingData: { ...manifest().trainingData, rows: 2000, batchId: '20260102030405-7h3k9c2m' },
      libraries: { onnx: '1.24.0' },
      commit: 'abc',
    })
    expect(diffPapers(manifest(), now).changes).toEqual([
      { field: 'hyperparameters.depth', before: 'null', now: null },
      { field: 'hyperparameters.rate', before: null, now: '0.1' },
      { field: 'hyperparameters.trees', before: '10', now: '20' },
      { field: 'trainingData.batchId', before: null, now: '20260102030405-7h3k9c2m' },
      { field: 'trainingData.rows', before: '1000', now: '2000' },
      { field: 'libraries.onnx', before: '1.23.2', now: '1.24.0' },
      { field: 'commit', before: null, now: 'abc' },
    ])
  })

  it('has the size and the hash of another file', () => {
    const fields = diffPapers(manifest(), manifestOf(new Uint8Array([1, 2]))).changes.map(({ field }) => field)
    expect(fields).toEqual(['bytes', 'sha256'])
  })

  it('finds inputs that came, that went, and that are defined otherwise', () => {
    const [a, b, d] = inputs('a', 'b', 'd')
    if (a === undefined || b === undefined || d === undefined) throw new Error('no inputs')
    const now = manifest({ inputs: [d, { ...a, fingerprint: 'f'.repeat(64), missing: 0 }, b] })
    const found = diffPapers(manifest(), now).inputs.map(({ name, change, changed }) => [name, change, changed])
    expect(found).toEqual([
      ['d', 'added', []],
      ['a', 'kept', ['definition', 'missing']],
      ['b', 'kept', []],
      ['c', 'removed', []],
    ])
  })

  it('says how far values moved, and of what has no distribution that it is unknown', () => {
    const [a, b] = inputs('a', 'b')
    if (a === undefined || b === undefined) throw new Error('no inputs')
    const before = manifest({
      inputs: [
        { ...a, distribution: low },
        { ...b, distribution: low },
      ],
    })
    const now = manifest({ inputs: [{ ...a, distribution: high }, b] })
    const found = diffPapers(before, now).inputs
    expect(found[0]).toMatchObject({ reading: 'moved-much', missingShareBefore: 0, missingShareNow: 0.2, changed: [] })
    expect(found[1]).toMatchObject({ psi: null, reading: 'unknown', missingShareBefore: 0, missingShareNow: null })
  })

  it('has metrics by slice, also those that only one has', () => {
    const performance = [
      { metric: 'auc', slice: 'new', value: 0.6 },
      { metric: 'auc', slice: 'all', value: 0.75 },
    ]
    const before = manifest({ performance: [...manifest().performance, { metric: 'rmse', slice: 'all', value: 2 }] })
    const found = diffPapers(before, manifest({ performance })).metrics
    expect(found.map(({ metric, slice, before: was, now }) => [metric, slice, was, now])).toEqual([
      ['auc', 'new', null, 0.6],
      ['auc', 'all', 0.71, 0.75],
      ['rmse', 'all', 2, null],
    ])
    expect(found.map(({ difference }) => difference)).toEqual([null, expect.closeTo(0.04, 9), null])
  })
})
