// How values are distributed, small enough for a manifest: what a model was trained on is compared with what it is asked later.
import * as z from 'zod/mini'

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
