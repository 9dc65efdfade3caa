import { describe, expect, it } from 'vitest'
import { compareEdges, type EdgeEvent, edgeAggregator, edgesOf } from '../../../src/features/aggregators/edge-events.ts'
import { orderEvent, START } from '../factories.ts'
import { cellOfEvents, mergeAsTree } from './merge-cells.ts'

const at = (id: number, ts: number) => ({ value: `v${id}`, event: orderEvent(id, START + ts) })
const valuesOf = (edge: 'oldest' | 'newest', k: number, events: readonly ReturnType<typeof at>[]) =>
  edgesOf(cellOfEvents(edgeAggregator(edge, k), events)[0]).map(([, , value]) => value)

describe('edgeAggregator', () => {
  it('keeps the k outermost, the outermost first', () => {
    const events = [at(1, 30), at(2, 10), at(3, 20), at(4, 40)]
    expect(valuesOf('oldest', 2, events)).toEqual(['v2', 'v3'])
    expect(valuesOf('newest', 2, events)).toEqual(['v4', 'v1'])
    expect(valuesOf('newest', 9, events)).toEqual(['v4', 'v1', 'v3', 'v2'])
  })

  it('takes of one time the lower id hash for the older', () => {
    const tied = Array.from({ length: 6 }, (_, id) => at(id, 0))
    const byHash = [...tied].sort((a, b) => (a.event.idHash < b.event.idHash ? -1 : 1)).map(({ value }) => value)
    expect(valuesOf('oldest', 3, tied)).toEqual(byHash.slice(0, 3))
    expect(valuesOf('oldest', 3, tied.toReversed())).toEqual(byHash.slice(0, 3))
    expect(valuesOf('newest', 3, tied)).toEqual(byHash.toReversed().slice(0, 3))
    const edges: EdgeEvent[] = [
      [1, 'b', null],
      [1, 'a', null],
      [0, 'c', null],
    ]
    expect(edges.sort(compareEdges).map(([, hash]) => hash)).toEqual(['c', 'a', 'b'])
  })

  it('keeps one cell for one set of events', () => {
    const aggregator = edgeAggregator('newest', 3)
    const events = Array.from({ length: 17 }, (_, id) => at(id, (id * 7) % 5))
    const cells = events.map(({ value, event }) => aggregator.cellOf(value, event))
    expect(mergeAsTree(aggregator, cells)).toEqual(cellOfEvents(aggregator, events.toReversed()))
  })
})
