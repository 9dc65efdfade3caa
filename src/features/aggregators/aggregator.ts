// What a state keeps of events, as arithmetic on cells. Merging is associative, commutative and exact in all that is stored, which is
// what makes features the same in whatever order events come.
import type { DecodedEvent, FieldValue } from '../../event/decoded-event.ts'
import type { Json } from '../../platform/canonical-json.ts'

/** One value inside a cell. It is never changed in place: cells share slots, so a merge puts a new one. */
export type Slot = Json

/** `width` slots; cells stand alone, and side by side inside tiles. */
export type Cell = Slot[]

export interface Aggregator {
  /** Slots of a cell. */
  readonly width: number
  /** The cell of one event; `value` is null for aggregates without a field. */
  cellOf(value: FieldValue, event: DecodedEvent): Cell
  /** Merges the cell at `source[from]` into the one at `target[at]`. */
  merge(target: Cell, at: number, source: readonly Slot[], from: number): void
  /** Where merging many cells one by one would make the same lists again and again. */
  gatherer?(): Gatherer
}

/** Many cells merged into one, which may be asked for in between. */
export interface Gatherer {
  add(source: readonly Slot[], from: number): void
  /** The caller's own; undefined of nothing. */
  cell(): Cell | undefined
}

export function gathererOf(aggregator: Aggregator): Gatherer {
  if (aggregator.gatherer !== undefined) return aggregator.gatherer()
  let cell: Cell | undefined
  return {
    add: (source, from) => {
      cell = accumulate(aggregator, cell, source, from)
    },
    cell: () => (cell === undefined ? undefined : [...cell]),
  }
}

/** `into` with the cell at `tiles[from]`; `into`, unless undefined, is the caller's own and is changed. */
export function accumulate(aggregator: Aggregator, into: Cell | undefined, tiles: readonly Slot[], from: number): Cell {
  if (into === undefined) return tiles.slice(from, from + aggregator.width)
  aggregator.merge(into, 0, tiles, from)
  return into
}
