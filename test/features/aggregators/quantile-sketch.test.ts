import { describe, expect, it } from 'vitest'
import { quantileAggregator, quantileOf, relativeErrorOf } from '../../../src/features/aggregators/quantile-sketch.ts'
import { randomOf } from '../arbitrary-events.ts'
import { cellOf, mergeAll, mergeAsTree } from './merge-cells.ts'

const QUANTILES = [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1]

/** The greatest relative error of all quantiles. */
function worstOf(values: readonly number[], error: number, binsMax = 128): { worst: number; allowed: number } {
  const [slot] = cellOf(quantileAggregator(error, binsMax), values)
  const ascending = [...values].sort((a, b) => a - b)
  const errors = QUANTILES.map(q => {
    const truth = ascending[Math.floor(q * (values.length - 1))] ?? Number.NaN
    return truth === 0
      ? Math.abs(quantileOf(slot, q, error) ?? 1)
      : Math.abs((quantileOf(slot, q, error) ?? 0) / truth - 1)
  })
  return { worst: Math.max(...errors), allowed: relativeErrorOf(slot, error) * (1 + 1e-9) }
}

describe('quantileAggregator', () => {
  it.each([0.001, 0.01, 0.1])('answers within the relative error of %f while no bins are joined', error => {
    const random = randomOf(7)
    const values = Array.from({ length: 500 }, () => 100 + random() * 10)
    const { worst, allowed } = worstOf(values, error)
    expect(allowed).toBeCloseTo(error, 9)
    expect(worst).toBeLessThanOrEqual(allowed)
  })

  it('doubles its error with each joining, and keeps to it, over numbers of both signs and all sizes', () => {
    const random = randomOf(3)
    const values = Array.from({ length: 2000 }, () => (random() - 0.4) * 10 ** Math.floor(random() * 12))
    const { worst, allowed } = worstOf(values, 0.01)
    expect(allowed).toBeGreaterThan(0.01)
    expect(allowed).toBeLessThan(0.4)
    expect(worst).toBeLessThanOrEqual(allowed)
    const joins = [1, 2, 3].map(times => relativeErrorOf([times, 0, [], []], 0.01))
    for (const [index, join] of joins.entries()) expect(join / 0.01).toBeCloseTo(2 ** (index + 1), 1)
  })

  it('keeps at most its bins, and one cell for one set of values', () => {
    const aggregator = quantileAggregator(0.01, 16)
    const random = randomOf(5)
    const cells = Array.from({ length: 300 }, () => cellOf(aggregator, [Math.round((random() - 0.5) * 2000)]))
    const merged = mergeAll(aggregator, cells)
    const [, , negative, positive] = merged[0] as [number, number, number[], number[]]
    expect((negative.length + positive.length) / 2).toBeLessThanOrEqual(16)
    expect(negative.length + positive.length).toBeGreaterThan(0)
    expect(JSON.stringify(mergeAsTree(aggregator, cells))).toBe(JSON.stringify(merged))
    expect(JSON.stringify(mergeAll(aggregator, cells.toReversed()))).toBe(JSON.stringify(merged))
  })

  it('takes the lower nearest rank', () => {
    const [slot] = cellOf(quantileAggregator(0.001, 128), [1, 2, 3, 4])
    const rounded = [0, 0.3, 0.34, 0.5, 0.99, 1].map(q => Math.round(quantileOf(slot, q, 0.001) ?? 0))
    expect(rounded).toEqual([1, 1, 2, 2, 3, 4])
    expect(quantileOf(undefined, 0.5, 0.01)).toBeNull()
  })

  it('knows zeros exactly, between the negative and the positive', () => {
    const [slot] = cellOf(quantileAggregator(0.01, 128), [-5, 0, -0, 0, 7])
    expect(quantileOf(slot, 0.5, 0.01)).toBe(0)
    expect(quantileOf(slot, 0, 0.01)).toBeCloseTo(-5, 1)
    expect(quantileOf(slot, 1, 0.01)).toBeCloseTo(7, 0)
  })

  it('stays a double at both ends of the doubles', () => {
    const [most, least] = [Number.MAX_VALUE, Number.MIN_VALUE]
    const [slot] = cellOf(quantileAggregator(0.1, 4), [-most, -least, least, most])
    for (const q of QUANTILES) expect(Number.isFinite(quantileOf(slot, q, 0.1) ?? 0)).toBe(true)
    expect(worstOf([most, most / 1.001], 0.01).worst).toBeLessThanOrEqual(0.01 + 1e-9)
  })
})
