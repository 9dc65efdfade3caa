// The arithmetic of one tile. Every operation is associative, commutative and exact, which is what makes features the same
// in whatever order events come: sums are integers at the field's scale, and leave 2^53 as decimal strings.
import type { FieldValue } from '../event/decoded-event.ts'
import type { StateKind } from './plan.ts'

/** count [n], sum [Σ], mean [n, Σ], min [x], max [x]; Σ beyond 2^53 − 1 is a decimal string. */
export type Cell = (number | string)[]

export function addCell(kind: StateKind, cell: Cell | undefined, value: FieldValue): Cell {
  const single: Cell = kind === 'count' ? [1] : kind === 'mean' ? [1, value as number] : [value as number]
  return cell === undefined ? single : mergeCell(kind, cell, single)
}

export function mergeCell(kind: StateKind, a: Cell, b: Cell): Cell {
  const [a0 = 0, a1 = 0] = a
  const [b0 = 0, b1 = 0] = b
  switch (kind) {
    case 'count':
    case 'sum':
      return [addExact(a0, b0)]
    case 'mean':
      return [addExact(a0, b0), addExact(a1, b1)]
    case 'min':
      return [Math.min(a0 as number, b0 as number)]
    case 'max':
      return [Math.max(a0 as number, b0 as number)]
    case 'newest':
      return a
  }
}

/** The same without a new cell for every tile: `into`, unless undefined, is the caller's own and is changed. */
export function accumulate(kind: StateKind, into: Cell | undefined, tiles: Cell, offset: number): Cell {
  const first = tiles[offset] ?? 0
  if (into === undefined) return kind === 'mean' ? [first, tiles[offset + 1] ?? 0] : [first]
  const before = into[0] ?? 0
  if (kind === 'min') into[0] = Math.min(before as number, first as number)
  else if (kind === 'max') into[0] = Math.max(before as number, first as number)
  else into[0] = addExact(before, first)
  if (kind === 'mean') into[1] = addExact(into[1] ?? 0, tiles[offset + 1] ?? 0)
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
