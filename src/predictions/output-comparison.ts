// What two models say of the same users, output by output: how many answers differ, whether both put users in the same order, and
// where on the scale one of them says more. For a model beside another, before it takes its place.
import { byCodePoint } from '../platform/canonical-json.ts'
import type { Prediction, PredictionStatus } from './evaluated-user.ts'
import { outputNumbers } from './output-numbers.ts'

/**
 * Of one output each, in pairs of doubles: 100 MB or so. Who comes when there is no more room is counted and not compared; users come
 * by hash, so that the first ones are a fair sample.
 */
export const NUMBERS_COMPARED_MAX = 4_000_000
const DECILES = 10

export type StatusCounts = Partial<Record<PredictionStatus | 'absent', number>>

export interface OutputComparison {
  readonly users: number
  /** Users of whom both have an answer, and whose answers are compared. */
  readonly compared: number
  readonly served: StatusCounts
  readonly shadow: StatusCounts
  /** By name; of outputs that both have. */
  readonly outputs: readonly ComparedOutput[]
  /** Outputs that one of them has only. */
  readonly onlyServed: readonly string[]
  readonly onlyShadow: readonly string[]
}

export type ComparedOutput = ComparedNumbers | ComparedLabels

export interface ComparedLabels {
  readonly kind: 'label'
  readonly name: string
  readonly users: number
  readonly changed: number
}

export interface ComparedNumbers {
  readonly kind: 'number'
  readonly name: string
  readonly users: number
  /** Differ by more than the tolerance. */
  readonly changed: number
  readonly meanServed: number
  readonly meanShadow: number
  /** Spearman's: 1 where both put all users in the same order; null where one of them says the same of everybody. */
  readonly rankCorrelation: number | null
  /** By what is served, the lowest tenth of users first. */
  readonly deciles: readonly DecileShift[]
}

export interface DecileShift {
  readonly users: number
  readonly meanServed: number
  readonly meanShadow: number
}

export interface OutputComparerOptions {
  /** Numbers that differ by no more are the same. */
  readonly tolerance: number
  readonly numbersMax?: number
}

export class OutputComparer {
  readonly #tolerance: number
  readonly #numbersMax: number
  #held = 0
  readonly #counts = { users: 0, compared: 0 }
  readonly #served: StatusCounts = {}
  readonly #shadow: StatusCounts = {}
  readonly #numbers = new Map<string, { readonly served: number[]; readonly shadow: number[] }>()
  readonly #labels = new Map<string, { users: number; changed: number }>()
  readonly #only = { served: new Set<string>(), shadow: new Set<string>() }

  constructor({ tolerance, numbersMax = NUMBERS_COMPARED_MAX }: OutputComparerOptions) {
    this.#tolerance = tolerance
    this.#numbersMax = numbersMax
  }

  /** Undefined: the user has no prediction by that model. */
  add(served: Prediction | undefined, shadow: Prediction | undefined): void {
    this.#counts.users++
    count(this.#served, served)
    count(this.#shadow, shadow)
    if (served?.value === undefined || shadow?.value === undefined || this.#held >= this.#numbersMax) return
    this.#counts.compared++
    this.#addNumbers(outputNumbers(served.value), outputNumbers(shadow.value))
    this.#addLabels(labelsOf(served), labelsOf(shadow))
  }

  result(): OutputComparison {
    const numbers = [...this.#numbers].map(([name, columns]) => compareNumbers(name, columns, this.#tolerance))
    const labels = [...this.#labels].map(([name, counts]): ComparedLabels => ({ kind: 'label', name, ...counts }))
    const compared = new Set([...numbers, ...labels].map(({ name }) => name))
    const only = (names: ReadonlySet<string>) => [...names].filter(name => !compared.has(name)).sort(byCodePoint)
    return {
      ...this.#counts,
      served: this.#served,
      shadow: this.#shadow,
      outputs: [...labels, ...numbers].sort((a, b) => byCodePoint(a.name, b.name)),
      onlyServed: only(this.#only.served),
      onlyShadow: only(this.#only.shadow),
    }
  }

  #addNumbers(served: Readonly<Record<string, number>>, shadow: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(served)) {
      const other = Object.hasOwn(shadow, name) ? shadow[name] : undefined
      if (other === undefined) {
        this.#only.served.add(name)
        continue
      }
      const columns = this.#numbers.get(name) ?? { served: [], shadow: [] }
      this.#numbers.set(name, columns)
      columns.served.push(value)
      columns.shadow.push(other)
      this.#held++
    }
    for (const name of Object.keys(shadow)) if (!Object.hasOwn(served, name)) this.#only.shadow.add(name)
  }

  #addLabels(served: ReadonlyMap<string, string>, shadow: ReadonlyMap<string, string>): void {
    for (const [name, label] of served) {
      const other = shadow.get(name)
      if (other === undefined) {
        this.#only.served.add(name)
        continue
      }
      const counts = this.#labels.get(name) ?? { users: 0, changed: 0 }
      this.#labels.set(name, counts)
      counts.users++
      if (label !== other) counts.changed++
    }
    for (const name of shadow.keys()) if (!served.has(name)) this.#only.shadow.add(name)
  }
}

/** Of two columns of the same users, with the mean rank for equal values; null where one column is the same throughout. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number | null {
  const [ranksA, ranksB] = [ranksOf(a), ranksOf(b)]
  // Ranks have this mean whatever the ties.
  const mean = (a.length - 1) / 2
  let [both, onlyA, onlyB] = [0, 0, 0]
  for (const [index, rank] of ranksA.entries()) {
    const [x, y] = [rank - mean, (ranksB[index] ?? 0) - mean]
    both += x * y
    onlyA += x * x
    onlyB += y * y
  }
  return onlyA === 0 || onlyB === 0 ? null : both / Math.sqrt(onlyA * onlyB)
}

function ranksOf(values: readonly number[]): Float64Array {
  const order = ascending(values)
  const ranks = new Float64Array(values.length)
  for (let from = 0; from < order.length; ) {
    let to = from + 1
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to++
    for (let index = from; index < to; index++) ranks[order[index] ?? 0] = (from + to - 1) / 2
    from = to
  }
  return ranks
}

function ascending(values: readonly number[]): Uint32Array {
  return Uint32Array.from(values.keys()).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0))
}

interface Columns {
  readonly served: readonly number[]
  readonly shadow: readonly number[]
}

function compareNumbers(name: string, { served, shadow }: Columns, tolerance: number): ComparedNumbers {
  const order = ascending(served)
  const deciles = Array.from({ length: DECILES }, (_, decile) => {
    const own = order.subarray(
      Math.round((decile * order.length) / DECILES),
      Math.round(((decile + 1) * order.length) / DECILES),
    )
    return { users: own.length, meanServed: meanAt(served, own), meanShadow: meanAt(shadow, own) }
  })
  return {
    kind: 'number',
    name,
    users: served.length,
    changed: served.filter((value, index) => Math.abs(value - (shadow[index] ?? 0)) > tolerance).length,
    meanServed: meanAt(served, order),
    meanShadow: meanAt(shadow, order),
    rankCorrelation: rankCorrelation(served, shadow),
    deciles: deciles.filter(({ users }) => users > 0),
  }
}

function meanAt(values: readonly number[], indices: Uint32Array): number {
  let sum = 0
  for (const index of indices) sum += values[index] ?? 0
  return indices.length === 0 ? 0 : sum / indices.length
}

function labelsOf({ value = {} }: Prediction): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(value).flatMap(([name, output]) => (typeof output === 'string' ? [[name, output]] : [])),
  )
}

function count(counts: StatusCounts, prediction: Prediction | undefined): void {
  const status = prediction?.status ?? 'absent'
  counts[status] = (counts[status] ?? 0) + 1
}
