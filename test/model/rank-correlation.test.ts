import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rankCorrelation, ranks } from '../../src/model/rank-correlation.ts'

const values = fc.array(fc.double({ noNaN: true, min: -1e3, max: 1e3 }), { minLength: 2, maxLength: 40 })

describe('ranks', () => {
  it('gives equal values the mean of the ranks that they take', () => {
    expect(ranks([10, 30, 10, 20])).toEqual([0.5, 3, 0.5, 2])
    expect(ranks([])).toEqual([])
  })
})

describe('rankCorrelation', () => {
  it('is what R gives: cor(method = "spearman")', () => {
    // x <- c(106, 100, 86, 101, 99, 103, 97, 113, 112, 110); y <- c(7, 27, 2, 50, 28, 29, 20, 12, 6, 17)
    const [x, y] = [
      [106, 100, 86, 101, 99, 103, 97, 113, 112, 110],
      [7, 27, 2, 50, 28, 29, 20, 12, 6, 17],
    ]
    expect(rankCorrelation(x ?? [], y ?? [])).toBeCloseTo(-29 / 165, 12)
  })

  it('is 1 for the same order whatever the scale, and −1 for the order turned round', () => {
    const whole = fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 2 })
    fc.assert(
      fc.property(whole, list => {
        const stretched = list.map(value => value ** 3 + 7)
        expect(rankCorrelation(list, stretched)).toBeCloseTo(1, 9)
        const turned = list.map(value => -value)
        expect(rankCorrelation(list, turned)).toBeCloseTo(-1, 9)
      }),
    )
  })

  it('is the same both ways round, and within −1 and 1', () => {
    fc.assert(
      fc.property(values, fc.infiniteStream(fc.integer({ min: 0, max: 5 })), (list, others) => {
        const other = list.map(() => Number(others.next().value))
        const found = rankCorrelation(list, other)
        expect(rankCorrelation(other, list)).toBe(found)
        if (found !== null) expect(Math.abs(found)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('is not there where there is no order', () => {
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeNull()
    expect(rankCorrelation([], [])).toBeNull()
  })
})
