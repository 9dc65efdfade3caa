// Aggregators of numbers: counts, sums, moments, extremes, histograms. Sums of a field with a scale are exact integers, of one without
// exact doubles.
import type { FieldValue } from '../../event/decoded-event.ts'
import type { Aggregator, Cell, Slot } from './aggregator.ts'
import { addDoubles, exactDouble, squareDouble } from './exact-double.ts'
import { addExact, squareExact } from './exact-integer.ts'

/** [n] */
export const countAggregator: Aggregator = {
  width: 1,
  cellOf: () => [1],
  merge: addAt,
}

/** [Σ] at a scale, [mantissa, exponent] without. */
export function sumAggregator(isScaled: boolean): Aggregator {
  return isScaled
    ? { width: 1, cellOf: value => [number(value)], merge: addAt }
    : { width: 2, cellOf: value => [...exactDouble(number(value))], merge: addDoubleAt }
}

/** [n, Σ] */
export function meanAggregator(isScaled: boolean): Aggregator {
  return counted(sumAggregator(isScaled))
}

/** [n, Σ, Σ²] */
export function momentsAggregator(isScaled: boolean): Aggregator {
  return isScaled
    ? counted({ width: 2, cellOf: value => [number(value), squareExact(number(value))], merge: addBoth })
    : counted({
        width: 4,
        cellOf: value => [...exactDouble(number(value)), ...squareDouble(number(value))],
        merge: (target, at, source, from) => {
          addDoubleAt(target, at, source, from)
          addDoubleAt(target, at + 2, source, from + 2)
        },
      })
}

/** [x] */
export const minAggregator: Aggregator = {
  width: 1,
  cellOf: value => [number(value)],
  merge: (target, at, source, from) => {
    target[at] = Math.min(target[at] as number, source[from] as number)
  },
}

/** [x] */
export const maxAggregator: Aggregator = {
  width: 1,
  cellOf: value => [number(value)],
  merge: (target, at, source, from) => {
    target[at] = Math.max(target[at] as number, source[from] as number)
  },
}

/** One count below the first bound, between each two, and from the last one on. */
export function histogramAggregator(bounds: readonly number[]): Aggregator {
  const width = bounds.length + 1
  return {
    width,
    cellOf: value => {
      const cell: Cell = Array.from({ length: width }, () => 0)
      const bucket = bounds.findIndex(bound => number(value) < bound)
      cell[bucket < 0 ? bounds.length : bucket] = 1
      return cell
    },
    merge: (target, at, source, from) => {
      for (let slot = 0; slot < width; slot++) addAt(target, at + slot, source, from + slot)
    },
  }
}

/** With how many values there were before the aggregate itself. */
function counted(inner: Aggregator): Aggregator {
  return {
    width: 1 + inner.width,
    cellOf: (value, event) => [1, ...inner.cellOf(value, event)],
    merge: (target, at, source, from) => {
      addAt(target, at, source, from)
      inner.merge(target, at + 1, source, from + 1)
    },
  }
}

function addAt(target: Cell, at: number, source: readonly Slot[], from: number): void {
  target[at] = addExact(target[at] ?? 0, source[from] ?? 0)
}

function addBoth(target: Cell, at: number, source: readonly Slot[], from: number): void {
  addAt(target, at, source, from)
  addAt(target, at + 1, source, from + 1)
}

function addDoubleAt(target: Cell, at: number, source: readonly Slot[], from: number): void {
  const before = [target[at] ?? 0, target[at + 1] ?? 0] as const
  const [mantissa, exponent] = addDoubles(before, [source[from] ?? 0, source[from + 1] ?? 0])
  target[at] = mantissa
  target[at + 1] = exponent
}

function number(value: FieldValue): number {
  return value as number
}
