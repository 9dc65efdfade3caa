import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ModelOutput } from '../../src/model/artifact-manifest.ts'
import { PREDICTED_BYTES_MAX, predictionBytesAtMost, predictionRuns } from '../../src/predictions/prediction-runs.ts'
import { PREDICTION_BYTES_MAX } from '../../src/predictions/spill.ts'
import { manifestOf } from '../model/factories.ts'

type Outputs = readonly Partial<ModelOutput>[]

function modelOf(outputs: Outputs) {
  const whole = outputs.map((output, index) => ({
    name: `o${index}`,
    kind: 'number',
    tensor: 't',
    column: 0,
    ...output,
  }))
  const manifest = { ...manifestOf(new Uint8Array()), outputs: whole as readonly ModelOutput[] as ModelOutput[] }
  return { name: 'churn', batchId: 'b1', manifest }
}

const classes = fc.uniqueArray(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 30 })

describe('the bytes of predictions', () => {
  it('are never more than the papers say', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true })
    const labels = classes.chain(all =>
      fc.record({ kind: fc.constant('label' as const), all: fc.constant(all), value: fc.constantFrom(...all) }),
    )
    const scores = classes.chain(all =>
      fc.record({
        kind: fc.constant('scores' as const),
        all: fc.constant(all),
        value: fc.array(number, { minLength: all.length, maxLength: all.length }),
      }),
    )
    const plain = fc.record({ kind: fc.constant('number' as const), all: fc.constant([]), value: number })
    fc.assert(
      fc.property(fc.array(fc.oneof(plain, labels, scores), { maxLength: 5 }), outputs => {
        const papers = modelOf(
          outputs.map(({ kind, all }) => ({ kind, ...(kind === 'number' ? {} : { classes: all }) })),
        )
        const value = outputs.map(({ all, value: own }, index) => [
          `o${index}`,
          Array.isArray(own) ? Object.fromEntries(own.map((one, at) => [all[at], one])) : own,
        ])
        const bytes = Buffer.byteLength(JSON.stringify(Object.fromEntries(value)))
        expect(bytes).toBeLessThanOrEqual(predictionBytesAtMost([papers]))
      }),
    )
  })

  it('are those of all models, and of a label of no known classes the most that a value may have', () => {
    const [number, open] = [modelOf([{}]), modelOf([{ kind: 'label' }])]
    expect(predictionBytesAtMost([number])).toBeLessThan(100)
    expect(predictionBytesAtMost([open])).toBeGreaterThan(PREDICTION_BYTES_MAX)
    expect(predictionBytesAtMost([number, open])).toBe(predictionBytesAtMost([number]) + predictionBytesAtMost([open]))
    expect(predictionBytesAtMost([])).toBe(0)
  })
})

describe('runs', () => {
  const users = Array.from({ length: 1000 }, (_, index) => index)

  it('hold everybody once, in order, and no more bytes than they may', () => {
    const most = { kind: 'scores' as const, classes: Array.from({ length: 10_000 }, (_, index) => `class ${index}`) }
    for (const models of [[modelOf([most])], [modelOf([most]), modelOf([{}, most])]]) {
      const runs = predictionRuns(users, { models })
      const bytes = predictionBytesAtMost(models)
      expect(runs.flat()).toEqual(users)
      expect(Math.max(...runs.map(({ length }) => length)) * bytes).toBeLessThanOrEqual(PREDICTED_BYTES_MAX)
      expect((Number(runs[0]?.length) + 1) * bytes).toBeGreaterThan(PREDICTED_BYTES_MAX)
    }
  })

  it('are one where predictions are small or nobody knows, and of one user where they are larger than all', () => {
    expect(predictionRuns(users, { models: [modelOf([{}])] })).toEqual([users])
    expect(predictionRuns(users, {})).toEqual([users])
    expect(predictionRuns([], {})).toEqual([])
    expect(predictionRuns([1, 2], { models: [modelOf([{}])] }, 1)).toEqual([[1], [2]])
  })
})
