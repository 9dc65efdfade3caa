import { describe, expect, it } from 'vitest'
import {
  DISTINCT_STANDARD_ERROR,
  distinctAggregator,
  distinctCount,
} from '../../../src/features/aggregators/distinct.ts'
import { orderEvent, START } from '../factories.ts'
import { cellOf, mergeAll, mergeAsTree } from './merge-cells.ts'

const words = (set: number, count: number): string[] => Array.from({ length: count }, (_, n) => `${set} ${n}`)

describe('distinctAggregator', () => {
  it('counts exactly up to its bound, repeats apart, and estimates from one more on', () => {
    const aggregator = distinctAggregator(64)
    const exact = cellOf(aggregator, [...words(1, 64), ...words(1, 64)])
    expect(distinctCount(exact[0])).toBe(64)
    expect(exact[0]).toHaveLength(64 * 8)
    const beyond = cellOf(aggregator, words(1, 65))
    expect(beyond[0]).toMatch(/^~[0-9a-zA-Z]{1024}$/)
    expect(Math.abs(distinctCount(beyond[0]) - 65)).toBeLessThan(5)
  })

  it('counts nothing where nothing came, and tells 1 from "1 " and true from false', () => {
    expect(distinctCount(undefined)).toBe(0)
    expect(distinctCount(cellOf(distinctAggregator(64), ['1', '1 ', 'true', true, false, 1])[0])).toBe(4)
  })

  it('keeps one cell for one set, whatever was merged with what, lists with registers too', () => {
    const aggregator = distinctAggregator(16)
    const cells = words(2, 100).map(word => cellOf(aggregator, [word]))
    const inOrder = mergeAll(aggregator, cells)
    expect(mergeAsTree(aggregator, cells)).toEqual(inOrder)
    expect(mergeAll(aggregator, [...cells.toReversed(), ...cells])).toEqual(inOrder)
    const registers = mergeAll(aggregator, cells.slice(0, 90))
    const list = mergeAll(aggregator, cells.slice(90))
    expect(mergeAll(aggregator, [list, registers])).toEqual(inOrder)
  })

  it.each([100, 600, 2500])(
    'is off by its standard error of 3.25 % and not in one direction, over 40 sets of %i',
    size => {
      const aggregator = distinctAggregator(1)
      const errors = Array.from({ length: 40 }, (_, set) => {
        // Hashes in one text: as if each had been merged, and faster.
        const hashes = words(set, size).map(word => aggregator.cellOf(word, orderEvent(1, START))[0] as string)
        const count = distinctCount(mergeAll(aggregator, [[hashes.join('')], ['']])[0])
        return (count - size) / size
      })
      const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length
      const rootMeanSquare = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length)
      expect(DISTINCT_STANDARD_ERROR).toBeCloseTo(0.0325, 5)
      expect(Math.abs(mean)).toBeLessThan((3 * DISTINCT_STANDARD_ERROR) / Math.sqrt(errors.length))
      expect(rootMeanSquare).toBeLessThan(1.3 * DISTINCT_STANDARD_ERROR)
      expect(Math.max(...errors.map(Math.abs))).toBeLessThan(4 * DISTINCT_STANDARD_ERROR)
    },
  )
})
