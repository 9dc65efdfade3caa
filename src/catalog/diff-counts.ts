// What a comparison of two batches counts and keeps as examples, row by row.
import type { Column } from './columns.ts'

/** Between the values of a row, as JSON texts: none has one in it. */
export const SEPARATOR = '\t'

export type Side = 'from' | 'to'

export interface RowCounts {
  readonly from: number
  readonly to: number
  readonly added: number
  readonly removed: number
  readonly changed: number
  readonly same: number
  /** Rows whose key came before in their batch: equal ones are paired first, the others in their order. */
  readonly repeatedKeys: number
}

/** A key, and of a changed row what changed, as JSON texts. */
export interface DiffExamples {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly { readonly key: string; readonly columns: readonly ChangedValue[] }[]
}

export interface ChangedValue {
  readonly name: string
  readonly from: string
  readonly to: string
}

export class DiffCounts {
  readonly #compared: readonly Column[]
  readonly #examplesMax: number
  readonly #rows = { from: 0, to: 0, added: 0, removed: 0, changed: 0, same: 0, repeatedKeys: 0 }
  readonly #changedIn = new Map<string, number>()
  readonly #examples: {
    readonly added: string[]
    readonly removed: string[]
    readonly changed: DiffExamples['changed'][number][]
  } = { added: [], removed: [], changed: [] }

  constructor(compared: readonly Column[], examplesMax: number) {
    this.#compared = compared
    this.#examplesMax = examplesMax
  }

  seen(side: Side, isRepeated: boolean): void {
    this.#rows[side]++
    if (isRepeated) this.#rows.repeatedKeys++
  }

  same(): void {
    this.#rows.same++
  }

  added(key: string): void {
    this.#rows.added++
    if (this.#examples.added.length < this.#examplesMax) this.#examples.added.push(key)
  }

  removed(key: string): void {
    this.#rows.removed++
    if (this.#examples.removed.length < this.#examplesMax) this.#examples.removed.push(key)
  }

  changed(key: string, was: string, is: string): void {
    this.#rows.changed++
    const [from, to] = [was.split(SEPARATOR), is.split(SEPARATOR)]
    const columns = this.#compared.flatMap(({ name }, index): ChangedValue[] => {
      const [before = '', now = ''] = [from[index], to[index]]
      if (before === now) return []
      this.#changedIn.set(name, (this.#changedIn.get(name) ?? 0) + 1)
      return [{ name, from: before, to: now }]
    })
    if (this.#examples.changed.length < this.#examplesMax) this.#examples.changed.push({ key, columns })
  }

  result(): {
    readonly rows: RowCounts
    readonly changedIn: Readonly<Record<string, number>>
    readonly examples: DiffExamples
  } {
    const inOrder = this.#compared.flatMap(({ name }) => {
      const count = this.#changedIn.get(name)
      return count === undefined ? [] : [[name, count] as const]
    })
    return { rows: { ...this.#rows }, changedIn: Object.fromEntries(inOrder), examples: this.#examples }
  }
}
