// The oldest or the newest k events by (event time, id): [[ts, id hash, value], …], the outermost first.
import type { FieldValue } from '../../event/decoded-event.ts'
import type { Aggregator, Slot } from './aggregator.ts'

export type EdgeEvent = readonly [number, string, FieldValue]

/** Negative where `a` is the older. */
export function compareEdges(a: EdgeEvent, b: EdgeEvent): number {
  return a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0)
}

/** One slot: a list of at most k. */
export function edgeAggregator(edge: 'oldest' | 'newest', k: number): Aggregator {
  const direction = edge === 'oldest' ? 1 : -1
  return {
    width: 1,
    cellOf: (value, event) => [[[event.ts, event.idHash, value]]],
    merge: (target, at, source, from) => {
      const merged = [...edgesOf(target[at]), ...edgesOf(source[from])]
      target[at] = merged.sort((a, b) => direction * compareEdges(a, b)).slice(0, k)
    },
  }
}

export function edgesOf(slot: Slot | undefined): readonly EdgeEvent[] {
  return Array.isArray(slot) ? (slot as readonly EdgeEvent[]) : []
}
