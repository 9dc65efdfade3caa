// The bins of a distribution that others are held against: between its deciles, or its categories, and missing as a bin of its own. Counting
// into them takes as much memory for a million values as for ten.
import { CATEGORIES_MAX, type Distribution, isThere, type NumberDistribution, type Value } from './distribution.ts'

export type Bins =
  /** The bin of a number is that of the first edge that it is at most; beyond the last one is a bin as well. */
  | { readonly kind: 'number'; readonly edges: readonly number[] }
  /** The last bin is of all that are not listed. */
  | { readonly kind: 'category'; readonly names: readonly string[] }

/** The edges of bins as a distribution has them: values that come often are several deciles, and one edge. */
export function binsOf(expected: Distribution): Bins {
  if (expected.kind === 'category') return { kind: 'category', names: Object.keys(expected.values) }
  return { kind: 'number', edges: expected.kind === 'number' ? [...new Set(expected.deciles)] : [] }
}

export function binLabels(bins: Bins): readonly string[] {
  if (bins.kind === 'category') return [...bins.names, 'other', 'missing']
  const { edges } = bins
  if (edges.length === 0) return ['any', 'missing']
  return [...edges.map(edge => `≤ ${edge}`), `> ${edges.at(-1)}`, 'missing']
}

export interface BinCounts {
  /** One for each bin, the last of missing values. */
  readonly counts: readonly number[]
  /** Of all values that are there, where they are numbers. */
  readonly sum: number
}

export class BinCounter implements BinCounts {
  readonly counts: number[]
  sum = 0
  readonly #bins: Bins
  readonly #indexes: ReadonlyMap<string, number>

  constructor(bins: Bins) {
    this.#bins = bins
    this.#indexes = new Map(bins.kind === 'category' ? bins.names.map((name, index) => [name, index]) : [])
    this.counts = binLabels(bins).map(() => 0)
  }

  add(value: Value): void {
    const index = isThere(value) ? this.#indexOf(value) : this.counts.length - 1
    this.counts[index] = (this.counts[index] ?? 0) + 1
    if (typeof value === 'number' && isThere(value)) this.sum += value
  }

  /** As if what the other has counted, into the same bins, had come here. */
  merge({ counts, sum }: BinCounts): void {
    for (const [index, count] of counts.entries()) this.counts[index] = (this.counts[index] ?? 0) + count
    this.sum += sum
  }

  #indexOf(value: number | string | boolean): number {
    const bins = this.#bins
    if (bins.kind === 'category') return this.#indexes.get(String(value)) ?? bins.names.length
    const number = Number(value)
    const index = bins.edges.findIndex(edge => number <= edge)
    return index === -1 ? bins.edges.length : index
  }
}

/** How many of a whole distribution are in each bin. Undefined where it is of another kind than the bins. */
export function countsInBins(distribution: Distribution, bins: Bins): readonly number[] | undefined {
  const { count, missing } = distribution
  const there = count - missing
  if (distribution.kind === 'empty')
    return [
      ...binLabels(bins)
        .slice(1)
        .map(() => 0),
      missing,
    ]
  if (distribution.kind === 'category') {
    if (bins.kind !== 'category') return bins.edges.length === 0 ? [there, missing] : undefined
    const named = bins.names.map(name => ownCount(distribution.values, name))
    return [...named, there - named.reduce((sum, each) => sum + each, 0), missing]
  }
  if (bins.kind !== 'number') return undefined
  const atMost = [...bins.edges.map(edge => shareAtMost(distribution, edge) * there), there]
  return [...atMost.map((each, index) => each - (atMost[index - 1] ?? 0)), missing]
}

/**
 * Both have the same bins then: a category that one of them has not listed can be among its others, and is among the others of both.
 * Where there are no others, it is known not to be there, and is a bin.
 */
export function sharedBins(expected: Distribution, actual: Distribution): Bins {
  if (expected.kind !== 'category' || actual.kind !== 'category') return binsOf(expected)
  const isKnown = ({ values, other }: typeof expected, name: string): boolean =>
    other === 0 || Object.hasOwn(values, name)
  const names = [...new Set([...Object.keys(expected.values), ...Object.keys(actual.values)])]
  const known = names.filter(name => isKnown(expected, name) && isKnown(actual, name))
  return { kind: 'category', names: known.slice(0, 2 * CATEGORIES_MAX) }
}

function ownCount(values: Readonly<Record<string, number>>, name: string): number {
  return Object.hasOwn(values, name) ? (values[name] ?? 0) : 0
}

/** Exact at its own deciles where it has counts of them; on a line between the two around, elsewhere. */
export function shareAtMost(distribution: NumberDistribution, value: number): number {
  const { min, max } = distribution
  if (value < min) return 0
  if (value >= max) return 1
  const points = [[min, 0] as const, ...knownShares(distribution), [max, 1] as const]
  // The last of equal ones: how many are at most a value includes all that are it.
  const below = points.findLast(([at]) => at <= value) ?? points[0]
  const above = points.find(([at]) => at > value) ?? points.at(-1)
  if (below === undefined || above === undefined || above[0] === below[0]) return below?.[1] ?? 0
  return below[1] + ((above[1] - below[1]) * (value - below[0])) / (above[0] - below[0])
}

function knownShares({ count, missing, deciles, atMost }: NumberDistribution): (readonly [number, number])[] {
  return deciles.map((decile, index) => {
    const known = atMost?.[index]
    return [decile, known === undefined ? (index + 1) / (deciles.length + 1) : known / (count - missing)] as const
  })
}
