// Tiles of one level, as they are stored and folded in place: where they stand, and their cells side by side. The newest comes first and
// each further one by its distance, so that most numbers are small and alike: that is what makes them deflate well.
import type { Aggregator, Cell, Slot } from './aggregators/aggregator.ts'

/** [[index of the newest, distance to the next older one, …], [...cell, ...cell, …]]; index = start / level. */
export type Tiles = readonly [places: number[], cells: Slot[]]

/** A tile at `index` with the cell, or the cell merged into the one that is there. */
export function mergeIntoTiles(aggregator: Aggregator, tiles: Tiles, index: number, cell: Cell): void {
  const [places, cells] = tiles
  const { width } = aggregator
  const [newest] = places
  if (newest === undefined || index > newest) {
    if (newest !== undefined) places[0] = index - newest
    places.unshift(index)
    cells.unshift(...cell)
    return
  }
  let position = 0
  let here = newest
  while (here > index && position + 1 < places.length) {
    position++
    here -= places[position] ?? 0
  }
  if (here === index) aggregator.merge(cells, position * width, cell, 0)
  else if (here > index) {
    places.push(here - index)
    cells.push(...cell)
  } else {
    const newer = here + (places[position] ?? 0)
    places.splice(position, 1, newer - index, index - here)
    cells.splice(position * width, 0, ...cell)
  }
}

/** Takes the oldest tiles out while `isWanted` says so of their indices, the oldest first, and hands over their cells. */
export function takeOldest(
  { width }: Aggregator,
  [places, cells]: Tiles,
  isWanted: (index: number) => boolean,
  take: (index: number, cell: Cell) => void,
): void {
  let oldest = indexOfOldest(places)
  while (places.length > 0 && isWanted(oldest)) {
    take(oldest, cells.splice(cells.length - width, width))
    oldest += places.pop() ?? 0
  }
}

/** Where cells go that are met on a walk. */
export interface CellSink {
  /** The cell begins at `cells[from]`, its tile at `startMs`. */
  add(cells: readonly Slot[], from: number, startMs: number): void
}

/** A walk over the tiles of one level, from the newest back, that may be halted and gone on with. */
export class TilesWalk {
  readonly cells: readonly Slot[]
  readonly ms: number
  /** Start of the last tile that was visited. */
  oldestIncludedMs: number | undefined
  /** Start of the next one. */
  newestExcludedMs: number | undefined
  readonly #places: readonly number[]
  readonly #width: number
  #position = 0

  constructor({ width }: Aggregator, [places, cells]: Tiles, ms: number) {
    this.cells = cells
    this.ms = ms
    this.#places = places
    this.#width = width
    const [newest] = places
    if (newest !== undefined) this.newestExcludedMs = newest * ms
  }

  /** Each tile that starts at the instant or after it. */
  walkTo(startMs: number, sink: CellSink): void {
    while (this.newestExcludedMs !== undefined && this.newestExcludedMs >= startMs) {
      this.oldestIncludedMs = this.newestExcludedMs
      const from = this.#position * this.#width
      this.#position++
      const gap = this.#places[this.#position]
      this.newestExcludedMs = gap === undefined ? undefined : this.oldestIncludedMs - gap * this.ms
      sink.add(this.cells, from, this.oldestIncludedMs)
    }
  }
}

/** Whether this can be tiles of the aggregator, by their form: each read asks, and checksums hold the values. */
export function areTiles({ width }: Aggregator, value: unknown): value is Tiles {
  if (!Array.isArray(value) || value.length !== 2) return false
  const [places, cells] = value as readonly unknown[]
  return Array.isArray(places) && Array.isArray(cells) && places.length > 0 && places.length * width === cells.length
}

function indexOfOldest(places: readonly number[]): number {
  let index = places[0] ?? 0
  for (let position = 1; position < places.length; position++) index -= places[position] ?? 0
  return index
}
