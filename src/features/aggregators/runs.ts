// Periods with at least one event, as runs: [start, length, start, length, …], ascending. Only what a streak of the longest length can
// still reach is kept, counted from the newest period, so what is kept follows from the set of periods alone.
import type { Aggregator, Slot } from './aggregator.ts'

/** One slot. */
export function runsAggregator(everyMs: number, periodsMax: number): Aggregator {
  return {
    width: 1,
    cellOf: (_, event) => [[Math.floor(event.ts / everyMs), 1]],
    merge: (target, at, source, from) => {
      target[at] = mergeRuns(runsOf(target[at]), runsOf(source[from]), periodsMax)
    },
  }
}

export function runsOf(slot: Slot | undefined): readonly number[] {
  return Array.isArray(slot) ? (slot as readonly number[]) : []
}

function mergeRuns(a: readonly number[], b: readonly number[], periodsMax: number): number[] {
  const starts = [...pairs(a), ...pairs(b)].sort((left, right) => left[0] - right[0])
  const merged: number[] = []
  for (const [start, length] of starts) {
    const end = merged.length === 0 ? Number.NEGATIVE_INFINITY : lastEnd(merged)
    if (start > end) merged.push(start, length)
    else merged[merged.length - 1] = Math.max(end, start + length) - (merged.at(-2) as number)
  }
  return trim(merged, lastEnd(merged) - periodsMax - 1)
}

function* pairs(runs: readonly number[]): Generator<readonly [number, number]> {
  for (let index = 0; index < runs.length; index += 2) yield [runs[index] as number, runs[index + 1] as number]
}

/** The period after the last run. */
function lastEnd(runs: readonly number[]): number {
  return (runs.at(-2) as number) + (runs.at(-1) as number)
}

function trim(runs: readonly number[], from: number): number[] {
  const kept: number[] = []
  for (const [start, length] of pairs(runs)) {
    const first = Math.max(start, from)
    if (start + length > first) kept.push(first, start + length - first)
  }
  return kept
}
