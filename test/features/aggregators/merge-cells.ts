// One cell of many values, merged in the order given, or as the leaves of a tree: what tiles do.
import type { DecodedEvent, FieldValue } from '../../../src/event/decoded-event.ts'
import { accumulate, type Aggregator, type Cell } from '../../../src/features/aggregators/aggregator.ts'
import { orderEvent, START } from '../factories.ts'

export function cellOf(aggregator: Aggregator, values: readonly FieldValue[]): Cell {
  return cellOfEvents(
    aggregator,
    values.map((value, id) => ({ value, event: orderEvent(id, START) })),
  )
}

export interface Valued {
  readonly value: FieldValue
  readonly event: DecodedEvent
}

export function cellOfEvents(aggregator: Aggregator, events: readonly Valued[]): Cell {
  return mergeAll(
    aggregator,
    events.map(({ value, event }) => aggregator.cellOf(value, event)),
  )
}

export function mergeAll(aggregator: Aggregator, cells: readonly Cell[]): Cell {
  let merged: Cell | undefined
  for (const cell of cells) merged = accumulate(aggregator, merged, cell, 0)
  if (merged === undefined) throw new Error('no cell')
  return merged
}

/** Neighbours first, then pairs of pairs: no merge is like those of `mergeAll`. */
export function mergeAsTree(aggregator: Aggregator, cells: readonly Cell[]): Cell {
  const [only, ...more] = cells
  if (only !== undefined && more.length === 0) return only
  const half = Math.ceil(cells.length / 2)
  return mergeAll(aggregator, [
    mergeAsTree(aggregator, cells.slice(0, half)),
    mergeAsTree(aggregator, cells.slice(half)),
  ])
}
