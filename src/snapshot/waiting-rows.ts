// Rows that wait for their parts, by the user's bucket. A piece of the snapshot is as many as may wait.
import type { Column, Row, RowValue } from '../catalog/columns.ts'
import { partFileName } from '../catalog/layout.ts'
import { writeParquet } from '../catalog/parquet-rows.ts'
import { toRows } from '../catalog/row-values.ts'
import type { PartInput } from '../catalog/upload-parts.ts'
import { USER_BUCKETS, userBucket } from '../platform/hash.ts'
import type { PredictedUser } from '../predictions/predictor.ts'
import { valueBytesAtMost } from '../predictions/spill.ts'
import { type PartWriter, snapshotPartName } from './part-names.ts'

/** Of one part: a reader may take parts in parallel. */
const PART_ROWS_MAX = 10_000

/** The part and the row that a user is in. */
export interface RowPlace {
  readonly part: string
  readonly row: number
}

interface WaitingRow {
  readonly userId: string
  /** In the order of the columns: an object with as many members is a dictionary to V8, at three times the memory. */
  readonly values: readonly RowValue[]
}

export class WaitingRows {
  readonly #columns: readonly Column[]
  readonly #buckets: WaitingRow[][] = Array.from({ length: USER_BUCKETS }, () => [])
  #rows = 0
  #bytes = 0

  constructor(columns: readonly Column[]) {
    this.#columns = columns
  }

  get rows(): number {
    return this.#rows
  }

  /** Of predictions: values too long for an item would fill a function by themselves. */
  get bytes(): number {
    return this.#bytes
  }

  add(userId: string, row: Row, { predictions: { models } }: PredictedUser): void {
    const values = this.#columns.map(({ name }) => row[name] ?? null)
    this.#buckets[userBucket(userId)]?.push({ userId, values })
    this.#rows++
    for (const { value } of Object.values(models)) if (value !== undefined) this.#bytes += valueBytesAtMost(value)
  }

  /**
   * Bucket by bucket, made as they are pulled, by user within each part; rows are let go of with their part. Of users that are
   * among the places it says where they are.
   */
  *parts(writer: PartWriter, places: Map<string, RowPlace | undefined>): Generator<PartInput> {
    const columns = this.#columns
    for (const [bucket, rows] of this.#buckets.entries()) {
      this.#buckets[bucket] = []
      rows.sort((a, b) => (a.userId < b.userId ? -1 : 1))
      for (let from = 0, number = 0; from < rows.length; from += PART_ROWS_MAX, number++) {
        const own = rows.slice(from, from + PART_ROWS_MAX)
        const name = snapshotPartName(bucket, writer, number)
        for (const [row, { userId }] of own.entries()) {
          if (places.has(userId)) places.set(userId, { part: partFileName(name, number, 'parquet'), row })
        }
        const data = columns.map((_, column) => own.map(({ values }) => values[column] ?? null))
        yield { name, body: writeParquet(columns, toRows(columns, data, own.length)), rows: own.length }
      }
    }
  }
}
