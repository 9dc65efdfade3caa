import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Prediction } from '../../src/predictions/evaluated-user.ts'
import { OutputComparer, rankCorrelation } from '../../src/predictions/output-comparison.ts'

const ok = (value: Prediction['value']): Prediction => ({ status: 'ok', batchId: 'b', ...(value && { value }) })
const numbers = (values: readonly number[]) => values.map(probability => ok({ probability }))

function compare(
  served: readonly (Prediction | undefined)[],
  shadow: readonly (Prediction | undefined)[],
  numbersMax = 100,
) {
  const comparer = new OutputComparer({ tolerance: 0.01, numbersMax })
  for (const [index, prediction] of served.entries()) comparer.add(prediction, shadow[index])
  return comparer.result()
}

describe('two models on the same users', () => {
  it('differ where they are further apart than the tolerance', () => {
    const { outputs } = compare(numbers([0.1, 0.2, 0.3]), numbers([0.105, 0.4, 0.2]))
    expect(outputs).toMatchObject([{ kind: 'number', name: 'probability', users: 3, changed: 2 }])
  })

  it('shift by tenths of what is served', () => {
    const served = Array.from({ length: 20 }, (_, index) => (index * 7) % 20)
    const [output] = compare(numbers(served), numbers(served.map(value => (value >= 18 ? value + 5 : value)))).outputs
    if (output?.kind !== 'number') throw new Error('no numbers')
    expect(output.deciles).toHaveLength(10)
    expect(output.deciles[0]).toEqual({ users: 2, meanServed: 0.5, meanShadow: 0.5 })
    expect(output.deciles[9]).toEqual({ users: 2, meanServed: 18.5, meanShadow: 23.5 })
    expect([output.meanServed, output.meanShadow, output.rankCorrelation]).toEqual([9.5, 10, 1])
  })

  it('are counted by status, and compared where both have an answer', () => {
    const refused: Prediction = { status: 'refused', batchId: 'b', detail: 'x' }
    const result = compare([...numbers([1, 2]), refused, undefined], [ok({ probability: 1 }), refused, refused])
    expect(result).toMatchObject({
      users: 4,
      compared: 1,
      served: { ok: 2, refused: 1, absent: 1 },
      shadow: { ok: 1, refused: 2, absent: 1 },
    })
  })

  it('are compared in labels and in the scores of each class, and what one has alone is named', () => {
    const served = [
      ok({ label: 'a', scores: { a: 0.9, b: 0.1 }, old: 1 }),
      ok({ label: 'b', scores: { a: 0.2, b: 0.8 } }),
    ]
    const shadow = [ok({ label: 'a', scores: { a: 0.8, c: 0.2 } }), ok({ label: 'a', scores: { a: 0.7 }, fresh: 'x' })]
    const result = compare(served, shadow)
    expect(result.outputs.map(({ kind, name, users, changed }) => [kind, name, users, changed])).toEqual([
      ['label', 'label', 2, 1],
      ['number', 'scores.a', 2, 2],
    ])
    expect([result.onlyServed, result.onlyShadow]).toEqual([
      ['old', 'scores.b'],
      ['fresh', 'scores.c'],
    ])
  })

  it('are compared for as many users as there is room for, and all are counted', () => {
    expect(compare(numbers([1, 2, 3]), numbers([1, 2, 3]), 2)).toMatchObject({
      users: 3,
      compared: 2,
      served: { ok: 3 },
    })
  })
})

describe('the rank correlation', () => {
  it('is that of SciPy, ties included', () => {
    // scipy.stats.spearmanr([1, 2, 2, 4, 5], [5, 6, 7, 8, 7])
    expect(rankCorrelation([1, 2, 2, 4, 5], [5, 6, 7, 8, 7])).toBeCloseTo(0.7631578947368421, 12)
  })

  it('is 1 for the same order, -1 for the opposite one, and none where all is the same', () => {
    expect(rankCorrelation([1, 2, 3], [10, 20, 90])).toBeCloseTo(1, 12)
    expect(rankCorrelation([1, 2, 3], [9, 8, -1])).toBeCloseTo(-1, 12)
    expect(rankCorrelation([1, 1, 1], [9, 8, 1])).toBeNull()
    expect(rankCorrelation([], [])).toBeNull()
  })

  it('does not mind how users are ordered, which of the two is first, or a scale that keeps the order', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 })), { minLength: 2 })
    fc.assert(
      fc.property(pairs, all => {
        const of = (some: typeof all) =>
          rankCorrelation(
            some.map(([a]) => a),
            some.map(([, b]) => b),
          )
        const expected = of(all)
        const others = [of(all.toReversed()), of(all.map(([a, b]) => [b, a])), of(all.map(([a, b]) => [a ** 3, b]))]
        for (const other of others) {
          if (expected === null) expect(other).toBeNull()
          else expect(other).toBeCloseTo(expected, 9)
        }
      }),
    )
  })
})
