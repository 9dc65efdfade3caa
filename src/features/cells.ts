// The arithmetic of one tile. Every operation is associative, commutative and exact, which is what makes features the same
// in whatever order events come: sums are integers at the field's scale, and leave 2^53 as decimal strings.
import type { FieldValue } from '../event/decoded-event.ts'
import type { StateKind } from './plan.ts'

/** count [n], sum [Σ], mean [n, Σ], min [x], max [x]; Σ beyond 2^53 − 1 is a decimal string. */
export type Cell = (number | string)[]

/** The cell of one event. */
export function singleCell(kind: StateKind, value: FieldValue): Cell {
  return kind === 'count' ? [1] : kind === 'mean' ? [1, value as number] : [value as number]
}

/** Merges the cell at `source[from]` into the one at `target[at]`, in place: both may stand inside tiles. */
export function mergeInto(kind: StateKind, target: Cell, at: number, source: Cell, from: number): void {
  const before = target[at] ?? 0
  const added = source[from] ?? 0
  if (kind === 'min') target[at] = Math.min(before as number, added as number)
  else if (kind === 'max') target[at] = Math.max(before as number, added as number)
  else target[at] = addExact(before, added)
  if (kind === 'mean') target[at + 1] = addExact(target[at + 1] ?? 0, source[from + 1] ?? 0)
}

/** `into` with the cell at `tiles[from]`; `into`, unless undefined, is the caller's own and is changed. */
export function accumulate(kind: StateKind, into: Cell | undefined, tiles: Cell, from: number): Cell {
  if (into === undefined) return kind === 'mean' ? [tiles[from] ?? 0, tiles[from + 1] ?? 0] : [tiles[from] ?? 0]
  mergeInto(kind, into, 0, tiles, from)
  return into
}

export function addExact(a: number | string, b: number | string): number | string {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    // Two safe integers whose sum is safe too were added without rounding.
    if (Number.isSafeInteger(sum)) return sum
  }
  const exact = BigInt(a) + BigInt(b)
  const isSafe = exact <= BigInt(Number.MAX_SAFE_INTEGER) && exact >= BigInt(Number.MIN_SAFE_INTEGER)
  return isSafe ? Number(exact) : exact.toString()
}
