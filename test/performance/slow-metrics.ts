// Metrics by their definitions, pair by pair: what the one pass is held against.
import type { Pair } from '../../src/performance/metrics.ts'

export interface SlowAuc {
  readonly value: number
  readonly error: number
}

/** Every 1 against every 0. */
export function slowAuc(pairs: readonly Pair[]): SlowAuc {
  const ones = pairs.filter(({ label }) => label === 1)
  const zeros = pairs.filter(({ label }) => label === 0)
  const wins = (one: Pair, zero: Pair): number =>
    one.prediction > zero.prediction ? 1 : one.prediction === zero.prediction ? 0.5 : 0
  // DeLong's structural components: of each pair its mean against the other side.
  const ofOnes = ones.map(one => ({ weight: one.weight, value: slowMean(zeros, zero => wins(one, zero)) }))
  const ofZeros = zeros.map(zero => ({ weight: zero.weight, value: slowMean(ones, one => wins(one, zero)) }))
  const value = slowMean(ofOnes, each => each.value)
  return { value, error: Math.sqrt(slowVariance(ofOnes) + slowVariance(ofZeros)) }
}

export function slowMean<Item extends { readonly weight: number }>(
  items: readonly Item[],
  of: (item: Item) => number,
): number {
  const weight = items.reduce((sum, item) => sum + item.weight, 0)
  return items.reduce((sum, item) => sum + item.weight * of(item), 0) / weight
}

/** Of the mean. */
export function slowVariance(values: readonly { readonly weight: number; readonly value: number }[]): number {
  const mean = slowMean(values, ({ value }) => value)
  const weight = values.reduce((sum, item) => sum + item.weight, 0)
  const spread = values.reduce((sum, each) => sum + (each.weight * (each.value - mean)) ** 2, 0)
  return ((spread / weight ** 2) * values.length) / (values.length - 1)
}
