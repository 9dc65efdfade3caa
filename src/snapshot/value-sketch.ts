// How the values of one column are distributed, counted while everybody goes by: small, whatever the number of users, and two of
// them are one by addition, so that workers count apart. Numbers are counted in bins whose edges lie a twentieth apart; each bin
// keeps its greatest value, so that deciles are values that came, and how many are at most a decile is exact.
import { byCodePoint } from '../platform/canonical-json.ts'
import { sha256Hex } from '../platform/hash.ts'
import { CATEGORIES_MAX, DECILES, type Distribution, isThere, type Value } from '../model/distribution.ts'

const LOG_STEP = Math.log(1.05)
/** More than the logarithm of any double in steps, so that keys of positive numbers are positive. */
const KEY_OF_ONE = 20_000
/** Of texts that differ; all others are counted together. */
const CATEGORIES_COUNTED_MAX = 1_000
/** 48 bits. */
const NAME_DIGITS = 12

/** Key, how many, the greatest of them; ascending. */
export type NumberBin = readonly [key: number, count: number, greatest: number]

export type PlainSketch =
  | {
      readonly kind: 'number'
      readonly missing: number
      readonly sum: number
      readonly min: number | null
      readonly bins: readonly NumberBin[]
    }
  | {
      readonly kind: 'category'
      readonly missing: number
      readonly values: Readonly<Record<string, number>>
      readonly other: number
    }

export interface ValueSketch {
  add(value: Value): void
  merge(plain: PlainSketch): void
  plain(): PlainSketch
  distribution(): Distribution
}

export function valueSketch(kind: PlainSketch['kind']): ValueSketch {
  return kind === 'number' ? new NumberSketch() : new CategorySketch()
}

class NumberSketch implements ValueSketch {
  #missing = 0
  #sum = 0
  #min: number | null = null
  readonly #bins = new Map<number, { count: number; greatest: number }>()

  add(value: Value): void {
    if (!isThere(value) || typeof value !== 'number') this.#missing++
    else this.#count(keyOf(value), 1, value)
    if (typeof value !== 'number' || !isThere(value)) return
    this.#sum += value
    this.#min = Math.min(this.#min ?? value, value)
  }

  merge(plain: PlainSketch): void {
    if (plain.kind !== 'number') return
    this.#missing += plain.missing
    this.#sum += plain.sum
    if (plain.min !== null) this.#min = Math.min(this.#min ?? plain.min, plain.min)
    for (const [key, count, greatest] of plain.bins) this.#count(key, count, greatest)
  }

  plain(): PlainSketch {
    const bins = this.#sorted().map(([key, { count, greatest }]): NumberBin => [key, count, greatest])
    return { kind: 'number', missing: this.#missing, sum: this.#sum, min: this.#min, bins }
  }

  distribution(): Distribution {
    const bins = this.#sorted().map(([, bin]) => bin)
    const there = bins.reduce((total, { count }) => total + count, 0)
    const counted = { count: there + this.#missing, missing: this.#missing }
    if (this.#min === null) return { kind: 'empty', ...counted }
    const tenths = Array.from({ length: DECILES }, (_, index) => Math.ceil((there * (index + 1)) / (DECILES + 1)))
    const edges = tenths.map(rank => edgeAt(bins, rank))
    return {
      kind: 'number',
      ...counted,
      min: this.#min,
      max: bins.at(-1)?.greatest ?? this.#min,
      mean: this.#sum / there,
      deciles: edges.map(({ greatest }) => greatest),
      atMost: edges.map(({ atMost }) => atMost),
    }
  }

  #count(key: number, count: number, greatest: number): void {
    const bin = this.#bins.get(key)
    if (bin === undefined) this.#bins.set(key, { count, greatest })
    else {
      bin.count += count
      bin.greatest = Math.max(bin.greatest, greatest)
    }
  }

  #sorted() {
    return [...this.#bins].sort(([a], [b]) => a - b)
  }
}

function keyOf(value: number): number {
  if (value === 0) return 0
  const step = Math.ceil(Math.log(Math.abs(value)) / LOG_STEP)
  return Math.sign(value) * (step + KEY_OF_ONE)
}

function edgeAt(bins: readonly { readonly count: number; readonly greatest: number }[], rank: number) {
  let atMost = 0
  for (const { count, greatest } of bins) {
    atMost += count
    if (atMost >= rank) return { greatest, atMost }
  }
  return { greatest: bins.at(-1)?.greatest ?? 0, atMost }
}

class CategorySketch implements ValueSketch {
  #missing = 0
  #other = 0
  /** Texts as they are; only their hashes are written down, as a text may be about a user. */
  readonly #texts = new Map<string, number>()
  readonly #named = new Map<string, number>()

  add(value: Value): void {
    if (!isThere(value)) this.#missing++
    else if (typeof value === 'string') this.#count(this.#texts, value, 1)
    else this.#count(this.#named, String(value), 1)
  }

  merge(plain: PlainSketch): void {
    if (plain.kind !== 'category') return
    this.#missing += plain.missing
    this.#other += plain.other
    for (const [name, count] of Object.entries(plain.values)) this.#count(this.#named, name, count)
  }

  plain(): PlainSketch {
    const values = Object.fromEntries(this.#ranked())
    return { kind: 'category', missing: this.#missing, values, other: this.#other }
  }

  distribution(): Distribution {
    const ranked = this.#ranked()
    const count = ranked.reduce((total, [, each]) => total + each, this.#other + this.#missing)
    if (count === this.#missing) return { kind: 'empty', count, missing: count }
    const rest = ranked.slice(CATEGORIES_MAX).reduce((total, [, each]) => total + each, 0)
    const values = Object.fromEntries(ranked.slice(0, CATEGORIES_MAX))
    return { kind: 'category', count, missing: this.#missing, values, other: this.#other + rest }
  }

  /** By number and then by name: the same values are the same bytes. */
  #ranked(): (readonly [string, number])[] {
    const all = new Map(this.#named)
    for (const [text, count] of this.#texts) {
      const name = sha256Hex(text).slice(0, NAME_DIGITS)
      all.set(name, (all.get(name) ?? 0) + count)
    }
    return [...all].sort((a, b) => b[1] - a[1] || byCodePoint(a[0], b[0]))
  }

  #count(counts: Map<string, number>, name: string, count: number): void {
    const before = counts.get(name)
    if (before !== undefined) counts.set(name, before + count)
    else if (this.#texts.size + this.#named.size < CATEGORIES_COUNTED_MAX) counts.set(name, count)
    else this.#other += count
  }
}
