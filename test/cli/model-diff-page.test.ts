// Names of classes, slices and fields are free text of whoever trained the model.
import { describe, expect, it } from 'vitest'
import type { ModelDiff } from '../../src/cli/model-diff.ts'
import { modelDiffPage } from '../../src/cli/model-diff-page.ts'
import { modelDiffLines } from '../../src/cli/model-diff-text.ts'
import { distributionOf } from '../../src/model/distribution.ts'
import { inputs, manifestOf } from '../model/factories.ts'

const HOSTILE = '<script>alert(1)</script>'

const diff: ModelDiff = {
  name: 'churn',
  before: 'v1',
  now: 'v2',
  changes: [{ field: `hyperparameters.${HOSTILE}`, before: HOSTILE, now: null }],
  inputs: [
    {
      name: 'a',
      change: 'kept',
      changed: ['definition'],
      psi: 0.5,
      reading: 'moved-much',
      missingShareBefore: 0,
      missingShareNow: null,
    },
    {
      name: 'b',
      change: 'added',
      changed: [],
      psi: null,
      reading: 'unknown',
      missingShareBefore: null,
      missingShareNow: 0,
    },
  ],
  outputs: [],
  metrics: [{ metric: HOSTILE, slice: HOSTILE, before: null, now: 0.7, difference: null }],
  sample: { kind: 'golden', batchId: 'v2', why: HOSTILE },
  predictions: {
    rows: 2,
    compared: 1,
    leftOut: { [HOSTILE]: 1 },
    tolerance: 0.01,
    outputs: [
      {
        name: `risk.${HOSTILE}`,
        changedShare: 1,
        rankCorrelation: null,
        meanBefore: null,
        meanNow: null,
        movers: [{ row: 0, before: HOSTILE, now: 'low' }],
      },
    ],
  },
}
const manifest = (values: readonly string[]) =>
  manifestOf(new Uint8Array(), {
    inputs: inputs('a').map(input => ({
      ...input,
      type: 'text',
      missing: '',
      distribution: distributionOf(values, 'text'),
    })),
  })

describe('modelDiffPage', () => {
  it('has no text that is read as markup, wherever it comes from', () => {
    const page = modelDiffPage(diff, manifest([HOSTILE, 'x']), manifest([HOSTILE, HOSTILE]))
    expect(page).not.toContain('<script')
    // In papers twice, in metrics, in what was asked, left out and answered, and as a category.
    expect(page.split('&lt;script&gt;').length).toBeGreaterThan(8)
  })

  it('shows a value of which nothing is known as a dash, and not as 0', () => {
    expect(modelDiffPage(diff, manifest(['x']), manifest(['y']))).toContain('<td class="number">–</td>')
  })
})

describe('modelDiffLines', () => {
  it('says what is unknown, and of which rows the answers are', () => {
    const lines = modelDiffLines(diff)
    expect(lines).toContain('  a: definition changed; values moved much, PSI 0.500; missing 0.0 % → unknown')
    expect(lines).toContain('  b: added')
    expect(lines.join('\n')).toContain('golden rows of v2, which are nobody')
    expect(lines).toContain('  1 of 2 rows compared')
    expect(lines.join('\n')).toMatch(/unknown +0\.7 +unknown/)
  })

  it('says that there was nobody to ask', () => {
    const nobody = { ...diff, sample: { kind: 'none' as const, why: 'no snapshot was ever taken' }, predictions: null }
    expect(modelDiffLines(nobody).at(-1)).toBe('  asked about nobody: no snapshot was ever taken')
  })
})
