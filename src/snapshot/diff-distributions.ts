// How the numbers of two batches are distributed, column by column: exact deciles, from files of eight bytes a value, one column in memory at
// a time.
import type { Column, Row, RowValue } from '../catalog/columns.ts'
import { diffColumns } from '../catalog/diff-batches.ts'
import type { Side } from '../catalog/diff-counts.ts'
import { type Distribution, distributionOfNumbers } from '../model/distribution.ts'
import { movedBetween, type Reading } from '../model/psi.ts'
import { NumberSpool } from '../platform/number-spool.ts'

export interface DistributionDiff {
  readonly name: string
  readonly from: Distribution
  readonly to: Distribution
  /** How far it has moved; null where one of the two has nothing. */
  readonly psi: number | null
  readonly reading: Reading
}

/** Of the columns of numbers that both have. */
export class DistributionDiffs {
  readonly #columns: readonly Column[]
  readonly #spools: Readonly<Record<Side, NumberSpool>>

  constructor(folder: string, columns: Readonly<Record<Side, readonly Column[]>>) {
    const { shared } = diffColumns(columns.from, columns.to)
    this.#columns = shared.filter(({ type }) => type === 'int64' || type === 'double')
    this.#spools = { from: new NumberSpool(folder, 'from'), to: new NumberSpool(folder, 'to') }
  }

  add(side: Side, rows: readonly Row[]): void {
    for (const [index, { name }] of this.#columns.entries()) {
      for (const row of rows) this.#spools[side].add(index, numberOf(row[name]))
    }
  }

  result(): readonly DistributionDiff[] {
    return this.#columns.map(({ name }, index) => {
      const [from, to] = [this.#spools.from, this.#spools.to].map(spool =>
        distributionOfNumbers(spool.numbers(index)),
      ) as [Distribution, Distribution]
      return { name, from, to, ...movedBetween(from, to) }
    })
  }

  remove(): void {
    this.#spools.from.remove()
    this.#spools.to.remove()
  }
}

/** A bigint is beyond what a number holds exactly, which deciles do not need. */
function numberOf(value: RowValue | undefined): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN
}
