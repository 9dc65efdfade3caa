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
