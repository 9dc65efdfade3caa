import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { meanAggregator } from '../../src/features/aggregators/number-aggregators.ts'
import { areTiles, mergeIntoTiles, takeOldest, type Tiles, TilesWalk } from '../../src/features/tiles.ts'

/** Two slots a cell, so that a cell out of place is found. */
const aggregator = meanAggregator(true)

const placed = fc.array(fc.record({ index: fc.integer({ min: 0, max: 40 }), value: fc.integer({ min: -9, max: 9 }) }))
type Placed = readonly { readonly index: number; readonly value: number }[]

function tilesOf(all: Placed): Tiles {
  const tiles: Tiles = [[], []]
  for (const { index, value } of all) mergeIntoTiles(aggregator, tiles, index, [1, value])
  return tiles
}

/** [index, count, sum], newest first. */
function expected(all: Placed): number[][] {
  const indices = [...new Set(all.map(({ index }) => index))].sort((a, b) => b - a)
  return indices.map(index => {
    const own = all.filter(one => one.index === index)
    return [index, own.length, own.reduce((sum, { value }) => sum + value, 0)]
  })
}

function walked(walk: TilesWalk, startMs: number): number[][] {
  const found: number[][] = []
  walk.walkTo(startMs, {
    add: (cells, from, ms) => found.push([ms / 10, Number(cells[from]), Number(cells[from + 1])]),
  })
  return found
}

describe('tiles', () => {
  it('are a tile for each index with all that came, newest first, in whatever order it came', () => {
    fc.assert(
      fc.property(placed, all => {
        const tiles = tilesOf(all)
        expect(walked(new TilesWalk(aggregator, tiles, 10), Number.NEGATIVE_INFINITY)).toEqual(expected(all))
        expect(tilesOf(all.toReversed())).toEqual(tiles)
        expect(areTiles(aggregator, tiles)).toBe(all.length > 0)
      }),
    )
  })

  it('let the oldest go, oldest first, and stay what they are beyond', () => {
    fc.assert(
      fc.property(placed, fc.integer({ min: -1, max: 41 }), (all, until) => {
        const tiles = tilesOf(all)
        const taken: number[][] = []
        takeOldest(
          aggregator,
          tiles,
          index => index < until,
          (index, cell) => taken.push([index, ...cell.map(Number)]),
        )
        expect(taken).toEqual(expected(all.filter(({ index }) => index < until)).toReversed())
        expect(tiles).toEqual(tilesOf(all.filter(({ index }) => index >= until)))
      }),
    )
  })

  it('are walked in stages, each of which goes on where the one before was halted', () => {
    fc.assert(
      fc.property(placed, fc.integer({ min: -1, max: 41 }), (all, from) => {
        const walk = new TilesWalk(aggregator, tilesOf(all), 10)
        const newer = walked(walk, from * 10)
        expect(newer).toEqual(expected(all.filter(({ index }) => index >= from)))
        const [next] = expected(all.filter(({ index }) => index < from))
        expect(walk.newestExcludedMs).toBe(next === undefined ? undefined : (next[0] ?? 0) * 10)
        expect(walk.oldestIncludedMs).toBe(newer.length === 0 ? undefined : (newer.at(-1)?.[0] ?? 0) * 10)
        expect([...newer, ...walked(walk, Number.NEGATIVE_INFINITY)]).toEqual(expected(all))
      }),
    )
  })

  it.each([
    [
      'cells of another width',
      [
        [3, 1],
        [1, 2, 1],
      ],
    ],
    ['a flat list', [3, 1, 2]],
    ['no tile at all', [[], []]],
    ['nothing', null],
  ])('are told from %s', (_, value) => {
    expect(areTiles(aggregator, value)).toBe(false)
  })
})
