import { describe, expect, it } from 'vitest'
import {
  countAggregator,
  histogramAggregator,
  maxAggregator,
  meanAggregator,
  minAggregator,
  momentsAggregator,
  sumAggregator,
} from '../../../src/features/aggregators/number-aggregators.ts'
import { max, mean, min, stddev, sum, variance } from '../../../src/features/aggregates.ts'
import type { AggregateFeature } from '../../../src/features/feature.ts'
import { aggregatorOf } from '../../../src/features/aggregators/aggregator-of.ts'
import { cellReaderOf } from '../../../src/features/read-cell.ts'
import { order, visit } from '../factories.ts'
import { cellOf } from './merge-cells.ts'

const MOMENT = { t: 0, step: () => undefined }

function valueOf(feature: AggregateFeature, values: readonly number[]) {
  return cellReaderOf(feature)(values.length === 0 ? undefined : cellOf(aggregatorOf(feature), values), MOMENT)
}

describe('number aggregators', () => {
  it('keep what their layouts say', () => {
    expect(cellOf(countAggregator, [null, null, null])).toEqual([3])
    expect(cellOf(sumAggregator(true), [1999, 1])).toEqual([2000])
    expect(cellOf(sumAggregator(false), [0.5, 1])).toEqual([3, -1])
    expect(cellOf(meanAggregator(true), [1999, 1])).toEqual([2, 2000])
    expect(cellOf(momentsAggregator(true), [3, -4])).toEqual([2, -1, 25])
    expect(cellOf(momentsAggregator(false), [0.5, 1])).toEqual([2, 3, -1, 5, -2])
    expect(cellOf(minAggregator, [3, -4, 5])).toEqual([-4])
    expect(cellOf(maxAggregator, [3, -4, 5])).toEqual([5])
  })

  it('count from each bound to below the next', () => {
    expect(cellOf(histogramAggregator([0, 60]), [-1, 0, 59, 60, 61, 1e9])).toEqual([1, 2, 3])
    expect(cellOf(histogramAggregator([0]), [-0])).toEqual([0, 1])
  })

  it('sum decimals as they were sent, beyond 2^53 too', () => {
    expect(valueOf(sum(order, 'amount'), [10, 20])).toBe(0.3)
    // Rounded to a double first and divided then, it would be 90071992547410.
    const hundredths = [Number.MAX_SAFE_INTEGER, 8]
    expect(valueOf(sum(order, 'amount'), hundredths)).toBe(Number('90071992547409.99'))
    expect(valueOf(mean(order, 'amount'), [10, 20, 30])).toBe(0.2)
  })

  it('are null over nothing, but for a sum', () => {
    const none = [sum, mean, min, max, variance, stddev].map(make => valueOf(make(order, 'amount'), []))
    expect(none).toEqual([0, null, null, null, null, null])
  })

  it('vary exactly where sums of squares in doubles would say nothing, or less than 0', () => {
    expect(valueOf(variance(visit, 'seconds'), [1e9, 1e9 + 1, 1e9 + 2])).toBe(1)
    expect(valueOf(variance(visit, 'seconds'), [1e15 + 0.125, 1e15 + 0.25])).toBe(0.0078125)
    expect(valueOf(variance(visit, 'seconds'), [0.1, 0.1, 0.1])).toBe(0)
    expect(valueOf(variance(order, 'amount'), [100, 101])).toBe(0.00005)
    const safe = Number.MAX_SAFE_INTEGER
    expect(valueOf(variance(order, 'points'), [safe, safe - 1])).toBe(0.5)
    expect(valueOf(stddev(visit, 'seconds'), [1e150, -1e150])).toBeCloseTo(Math.SQRT2 * 1e150, -140)
    expect(valueOf(stddev(order, 'amount'), [500])).toBeNull()
  })

  it('are null where no double can say it, and never −0', () => {
    const [huge, tiny] = [Number.MAX_VALUE, Number.MIN_VALUE]
    expect(valueOf(sum(visit, 'seconds'), [huge, huge])).toBeNull()
    expect(valueOf(mean(visit, 'seconds'), [huge, huge])).toBeNull()
    expect(valueOf(variance(visit, 'seconds'), [huge, -huge])).toBeNull()
    expect(valueOf(variance(visit, 'seconds'), [tiny, -tiny])).toBe(0)
    for (const make of [sum, mean, min, max]) expect(Object.is(valueOf(make(visit, 'seconds'), [-0]), 0)).toBe(true)
  })
})
