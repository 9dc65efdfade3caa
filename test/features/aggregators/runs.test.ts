import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runsAggregator, runsOf } from '../../../src/features/aggregators/runs.ts'
import { DAY } from '../fold-batches.ts'
import { orderEvent } from '../factories.ts'
import { mergeAll, mergeAsTree } from './merge-cells.ts'

const cellsOf = (periodsMax: number, days: readonly number[]) => {
  const aggregator = runsAggregator(DAY, periodsMax)
  return { aggregator, cells: days.map((day, id) => aggregator.cellOf(null, orderEvent(id, day * DAY + (id % 24)))) }
}

function runs(periodsMax: number, days: readonly number[]): readonly number[] {
  const { aggregator, cells } = cellsOf(periodsMax, days)
  return runsOf(mergeAll(aggregator, cells)[0])
}

describe('runsAggregator', () => {
  it('joins periods in a row, whichever came first, and repeats', () => {
    expect(runs(366, [5, 7])).toEqual([5, 1, 7, 1])
    expect(runs(366, [5, 7, 6])).toEqual([5, 3])
    expect(runs(366, [6, 5, 6, 7, 20])).toEqual([5, 3, 20, 1])
  })

  it('is of UTC days: the last millisecond belongs to the day', () => {
    const aggregator = runsAggregator(DAY, 9)
    const cellOf = (ts: number) => aggregator.cellOf(null, orderEvent(1, ts))[0]
    expect([cellOf(3 * DAY - 1), cellOf(3 * DAY)]).toEqual([
      [2, 1],
      [3, 1],
    ])
  })

  it('keeps only what the longest streak can still reach from the newest period', () => {
    expect(runs(3, [1, 2, 3, 4, 5, 6])).toEqual([3, 4])
    expect(runs(3, [1, 2, 5, 6])).toEqual([5, 2])
    expect(runs(3, [100, 1])).toEqual([100, 1])
    expect(runs(1, [1, 3])).toEqual([3, 1])
  })

  it('keeps one cell for one set of periods, and at most one run a two periods', () => {
    const day = fc.integer({ min: 0, max: 30 })
    fc.assert(
      fc.property(fc.array(day, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 12 }), (days, most) => {
        const { aggregator, cells } = cellsOf(most, days)
        const merged = mergeAll(aggregator, cells)
        expect(mergeAsTree(aggregator, cells)).toEqual(merged)
        expect(mergeAll(aggregator, cells.toReversed())).toEqual(merged)
        const newest = Math.max(...days)
        const kept = [...new Set(days)].filter(each => each >= newest - most).sort((a, b) => a - b)
        expect(periodsOf(runsOf(merged[0]))).toEqual(kept)
      }),
      { numRuns: 200 },
    )
  })
})

function periodsOf(list: readonly number[]): number[] {
  const periods: number[] = []
  for (let index = 0; index < list.length; index += 2) {
    const [start = 0, length = 0] = list.slice(index, index + 2)
    for (let period = start; period < start + length; period++) periods.push(period)
  }
  return periods
}
