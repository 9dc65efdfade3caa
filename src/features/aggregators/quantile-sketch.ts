// Quantiles with a stated relative error: DDSketch (Masson, Rim, Lee, VLDB 2019), whose bins are powers of γ = (1 + α) / (1 − α).
// Where the values would need too many bins, every two of them become one and the error about doubles, as UDDSketch does (Epicoco et
// al., 2020): how often follows from the set of bins alone, so the same values in any order give the same sketch.
import type { Aggregator, Gatherer, Slot } from './aggregator.ts'
import { addExact, type ExactInteger } from './exact-integer.ts'

/** [bin, count, bin, count, …], ascending. */
type Bins = readonly Slot[]

interface Sketch {
  /** How often bins were joined: γ is squared with each. */
  readonly joins: number
  readonly zeros: ExactInteger
  readonly negative: Bins
  readonly positive: Bins
}

/** One slot: [joins, zeros, negative bins, positive bins]. */
export function quantileAggregator(error: number, binsMax: number): Aggregator {
  const logGamma = Math.log((1 + error) / (1 - error))
  return {
    width: 1,
    cellOf: value => [toSlot(sketchOf(value as number, logGamma))],
    merge: (target, at, source, from) => {
      target[at] = toSlot(mergeSketches(toSketch(target[at]), toSketch(source[from]), binsMax))
    },
    gatherer: () => sketchesGatherer(binsMax),
  }
}

/** By how often bins were joined; joined further only when the cell is asked for. */
function sketchesGatherer(binsMax: number): Gatherer {
  const byJoins = new Map<
    number,
    { zeros: ExactInteger; readonly negative: GrowingBins; readonly positive: GrowingBins }
  >()
  return {
    add: (source, from) => {
      const { joins, zeros, negative, positive } = toSketch(source[from])
      const gathered = byJoins.get(joins) ?? { zeros: 0, negative: new GrowingBins(), positive: new GrowingBins() }
      byJoins.set(joins, gathered)
      gathered.zeros = addExact(gathered.zeros, zeros)
      gathered.negative.add(negative)
      gathered.positive.add(positive)
    },
    cell: () => {
      let merged: Sketch | undefined
      for (const [joins, { zeros, negative, positive }] of byJoins) {
        const sketch = { joins, zeros, negative: negative.bins(), positive: positive.bins() }
        merged = mergeSketches(merged ?? { joins, zeros: 0, negative: [], positive: [] }, sketch, binsMax)
      }
      return merged === undefined ? undefined : [toSlot(merged)]
    },
  }
}

/** Bins that many are added to: counted by name, and named in order, so that nothing is sorted each time they are asked for. */
class GrowingBins {
  readonly #counts = new Map<number, Slot>()
  readonly #ascending: number[] = []

  add(bins: Bins): void {
    for (let index = 0; index < bins.length; index += 2) {
      const bin = bins[index] as number
      const before = this.#counts.get(bin)
      if (before === undefined) this.#insert(bin)
      this.#counts.set(bin, addExact(before ?? 0, bins[index + 1] ?? 0))
    }
  }

  bins(): Bins {
    const bins: Slot[] = []
    for (const bin of this.#ascending) bins.push(bin, this.#counts.get(bin) ?? 0)
    return bins
  }

  #insert(bin: number): void {
    const names = this.#ascending
    let at = names.length
    while (at > 0 && (names[at - 1] as number) > bin) at--
    names.splice(at, 0, bin)
  }
}

/** The value of lower nearest rank floor(q × (n − 1)), within the relative error; null over no values. */
export function quantileOf(slot: Slot | undefined, q: number, error: number): number | null {
  const { joins, zeros, negative, positive } = toSketch(slot)
  const negatives = countOf(negative)
  const total = negatives + Number(zeros) + countOf(positive)
  if (total === 0) return null
  const rank = Math.floor(q * (total - 1))
  const gamma = ((1 + error) / (1 - error)) ** (2 ** joins)
  // The negative ones from their largest bin down, which is the smallest value.
  if (rank < negatives) return -middleOf(binAt(negative, negatives - 1 - rank), gamma)
  if (rank < negatives + Number(zeros)) return 0
  return middleOf(binAt(positive, rank - negatives - Number(zeros)), gamma)
}

/** The relative error of the answers, larger than asked for where bins had to be joined. */
export function relativeErrorOf(slot: Slot | undefined, error: number): number {
  const gamma = ((1 + error) / (1 - error)) ** (2 ** toSketch(slot).joins)
  return (gamma - 1) / (gamma + 1)
}

function sketchOf(value: number, logGamma: number): Sketch {
  if (value === 0) return { joins: 0, zeros: 1, negative: [], positive: [] }
  const bins: Bins = [Math.ceil(Math.log(Math.abs(value)) / logGamma), 1]
  return value > 0
    ? { joins: 0, zeros: 0, negative: [], positive: bins }
    : { joins: 0, zeros: 0, negative: bins, positive: [] }
}

function mergeSketches(a: Sketch, b: Sketch, binsMax: number): Sketch {
  let joins = Math.max(a.joins, b.joins)
  let [negative, positive] = [
    mergeBins(joinBins(a.negative, joins - a.joins), joinBins(b.negative, joins - b.joins)),
    mergeBins(joinBins(a.positive, joins - a.joins), joinBins(b.positive, joins - b.joins)),
  ]
  while (negative.length + positive.length > 2 * binsMax) {
    joins++
    negative = joinBins(negative, 1)
    positive = joinBins(positive, 1)
  }
  return { joins, zeros: addExact(a.zeros, b.zeros), negative, positive }
}

function mergeBins(a: Bins, b: Bins): Bins {
  if (a.length === 0) return b
  if (b.length === 0) return a
  const merged: Slot[] = []
  let [left, right] = [0, 0]
  while (left < a.length || right < b.length) {
    const [one, two] = [
      (a[left] as number | undefined) ?? Number.POSITIVE_INFINITY,
      (b[right] as number | undefined) ?? Number.POSITIVE_INFINITY,
    ]
    const counts = [one <= two ? (a[left + 1] ?? 0) : 0, two <= one ? (b[right + 1] ?? 0) : 0] as const
    merged.push(Math.min(one, two), addExact(...counts))
    if (one <= two) left += 2
    if (two <= one) right += 2
  }
  return merged
}

/** Bin i of γ is bin ⌈i / 2⌉ of γ². */
function joinBins(bins: Bins, times: number): Bins {
  if (times === 0) return bins
  const joined: Slot[] = []
  for (let index = 0; index < bins.length; index += 2) {
    const bin = Math.ceil((bins[index] as number) / 2 ** times)
    if (joined.at(-2) === bin) joined.push(addExact(joined.pop() ?? 0, bins[index + 1] ?? 0))
    else joined.push(bin, bins[index + 1] ?? 0)
  }
  return joined
}

/** The bin of the value that has so many before it, from the smallest bin up. */
function binAt(bins: Bins, rank: number): number {
  let rest = rank
  let index = 0
  for (; index + 2 < bins.length && rest >= Number(bins[index + 1]); index += 2) rest -= Number(bins[index + 1])
  return bins[index] as number
}

/** The value whose distance to both ends of the bin is the same share of them. The lower end is a double where the upper is none. */
function middleOf(bin: number, gamma: number): number {
  return Math.min(((2 * gamma) / (gamma + 1)) * gamma ** (bin - 1), Number.MAX_VALUE)
}

/** Exact up to 2^53 values, which no user has. */
function countOf(bins: Bins): number {
  let total = 0
  for (let index = 1; index < bins.length; index += 2) total += Number(bins[index])
  return total
}

function toSketch(slot: Slot | undefined): Sketch {
  const [joins = 0, zeros = 0, negative = [], positive = []] = Array.isArray(slot) ? (slot as readonly Slot[]) : []
  return {
    joins: Number(joins),
    zeros: zeros as ExactInteger,
    negative: negative as Bins,
    positive: positive as Bins,
  }
}

function toSlot({ joins, zeros, negative, positive }: Sketch): Slot {
  return [joins, zeros, negative, positive]
}
