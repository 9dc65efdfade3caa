// How values are distributed, small enough for a manifest: what a model was trained on is compared with what it is asked later.
import * as z from 'zod/mini'
import { byCodePoint } from '../platform/canonical-json.ts'

const count = z.number().check(z.int(), z.gte(0))

export const DECILES = 9
/** The most frequent ones; the others are counted together. */
export const CATEGORIES_MAX = 50

const numbers = z.object({
  kind: z.literal('number'),
  /** All, missing ones included. */
  count,
  missing: count,
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  /** 10 %, 20 %, … 90 % of the values that are there are at most this. */
  deciles: z.array(z.number()).check(z.length(DECILES)),
  /** How many values are at most each decile: of values that come often, a decile alone does not say it. */
  atMost: z.optional(z.array(count).check(z.length(DECILES))),
})

const categories = z.object({
  kind: z.literal('category'),
  count,
  missing: count,
  /** Value → how many, of the most frequent. A flag is `true` or `false`. */
  values: z.record(z.string(), count),
  /** Of all other values together. */
  other: count,
})

/** Nothing was there: all are missing. */
const nothing = z.object({ kind: z.literal('empty'), count, missing: count })

export const distributionSchema = z.discriminatedUnion('kind', [numbers, categories, nothing])

export type Distribution = z.infer<typeof distributionSchema>
export type NumberDistribution = z.infer<typeof numbers>
export type CategoryDistribution = z.infer<typeof categories>

/** As features and outputs are; NaN, null and undefined are missing. */
export type Value = number | string | boolean | null | undefined

/**
 * Of values in any order. The decile k is the least value that is there and that k tenths of them are at most (the inverse of the
 * empirical distribution function), so that a decile of counts is a count.
 */
export function distributionOf(values: readonly Value[], type: 'number' | 'flag' | 'text'): Distribution {
  const there = values.filter(isThere)
  const counted = { count: values.length, missing: values.length - there.length }
  if (there.length === 0) return { kind: 'empty', ...counted }
  return type === 'number'
    ? { kind: 'number', ...counted, ...numbersOf(Float64Array.from(there, Number).toSorted()) }
    : { kind: 'category', ...counted, ...categoriesOf(there.map(String)) }
}

/** Of numbers, NaN where one is missing. It sorts them where they are: of a million a copy is 8 MB. */
export function distributionOfNumbers(values: Float64Array): Distribution {
  // NaN is sorted to the end.
  const sorted = values.sort()
  let there = sorted.length
  while (there > 0 && Number.isNaN(sorted[there - 1])) there--
  const counted = { count: values.length, missing: values.length - there }
  return there === 0
    ? { kind: 'empty', ...counted }
    : { kind: 'number', ...counted, ...numbersOf(sorted.subarray(0, there)) }
}

export function isThere(value: Value): value is number | string | boolean {
  return value !== null && value !== undefined && !Number.isNaN(value)
}

type Uncounted<T> = Omit<T, 'kind' | 'count' | 'missing'>

/** `sorted` has at least one. */
function numbersOf(sorted: Float64Array): Uncounted<NumberDistribution> {
  const at = (index: number): number => sorted[index] ?? 0
  const tenths = Array.from({ length: DECILES }, (_, index) => index + 1)
  const deciles = tenths.map(tenth => at(Math.ceil((sorted.length * tenth) / (DECILES + 1)) - 1))
  return {
    min: at(0),
    max: at(sorted.length - 1),
    mean: sorted.reduce((sum, value) => sum + value / sorted.length, 0),
    deciles,
    atMost: deciles.map(decile => countAtMost(sorted, decile)),
  }
}

function countAtMost(sorted: Float64Array, value: number): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((sorted[middle] ?? 0) <= value) from = middle + 1
    else to = middle
  }
  return from
}

function categoriesOf(texts: readonly string[]): Uncounted<CategoryDistribution> {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  // By number and then by name: the same values are the same manifest.
  const ranked = [...counts].toSorted((a, b) => b[1] - a[1] || byCodePoint(a[0], b[0]))
  return {
    values: Object.fromEntries(ranked.slice(0, CATEGORIES_MAX)),
    other: ranked.slice(CATEGORIES_MAX).reduce((sum, [, each]) => sum + each, 0),
  }
}
