// The labels of a training set, in local files by the bucket of their user: they may come in any order and be more than memory
// holds. They are read back bucket by bucket, by user and time, with the place that each had among all.
import { createHash } from 'node:crypto'
import type { Column, RowValue } from '../catalog/columns.ts'
import type { Instant } from '../features/export-rows.ts'
import { byCodePoint } from '../platform/canonical-json.ts'
import { userBucket } from '../platform/hash.ts'
import { LineSpool } from '../platform/line-spool.ts'
import { sortLines, type SortOptions } from '../platform/sort-lines.ts'

export interface Label extends Instant {
  /** Of the carried columns, in their order; shorter where a column came later. */
  readonly values: readonly RowValue[]
}

export interface SpooledLabel extends Label {
  /** From 0, in the order in which the labels came. */
  readonly row: number
}

/** Most user ids of one bucket that are held to leave other users' events unread; beyond, most users are labelled anyway. */
export const USERS_HELD_MAX = 200_000

export class LabelSpool {
  readonly #spool: LineSpool
  readonly #folder: string
  #count = 0

  constructor(folder: string) {
    this.#folder = folder
    this.#spool = new LineSpool(folder, 'labels')
  }

  get count(): number {
    return this.#count
  }

  add({ userId, time, values }: Label): void {
    // Integers beyond 2^53 as text: a column of integers has no other text.
    const plain = values.map(value => (typeof value === 'bigint' ? String(value) : value))
    this.#spool.add(userBucket(userId), Buffer.from(JSON.stringify([userId, time, this.#count++, plain])))
  }

  /** Those that have labels, ascending. */
  buckets(): readonly number[] {
    return this.#spool.slots()
  }

  /** The users of the bucket; undefined where they are too many to be held. */
  async users(bucket: number, usersMax = USERS_HELD_MAX): Promise<ReadonlySet<string> | undefined> {
    const users = new Set<string>()
    for await (const line of this.#spool.lines(bucket)) {
      users.add(readLine(line)[0])
      if (users.size > usersMax) return undefined
    }
    return users
  }

  /** By user, time and values, whatever the order in which they came; of equal ones the first. */
  async *sorted(
    bucket: number,
    columns: readonly Column[],
    { runBytesMax }: Pick<SortOptions<SpooledLabel>, 'runBytesMax'> = {},
  ): AsyncGenerator<SpooledLabel> {
    const read = (line: Uint8Array): SpooledLabel => {
      const [userId, time, row, values] = readLine(line)
      return { userId, time, row, values: columns.map(({ type }, index) => typed(values[index] ?? null, type)) }
    }
    const byContent = contentOf(columns)
    const compare = (a: SpooledLabel, b: SpooledLabel): number =>
      compareText(a.userId, b.userId) || a.time - b.time || compareText(byContent(a), byContent(b)) || a.row - b.row
    const sort = { read, compare, folder: this.#folder, name: 'sorted-labels' }
    const lines = this.#spool.lines(bucket)
    const sorted = sortLines(lines, { ...sort, ...(runBytesMax === undefined ? {} : { runBytesMax }) })
    for await (const { item } of sorted) yield item
  }

  remove(): void {
    this.#spool.remove()
  }
}

/**
 * SHA-256 of what the labels say and not of how their file says it: a JSON array of the carried columns' names in code point
 * order, then for each label, in the order in which the spool sorts them, `[user, time in ms, ...values in that order]`; a line
 * each. Labels in another order, or in another format with the same values, have the same.
 */
export class LabelsHash {
  readonly #hash = createHash('sha256')
  readonly #content: (label: Label) => string

  constructor(columns: readonly Column[]) {
    this.#content = contentOf(columns)
    this.#hash.update(`${JSON.stringify(sortedNames(columns))}\n`)
  }

  add(label: Label): void {
    this.#hash.update(`${this.#content(label)}\n`)
  }

  hex(): string {
    return this.#hash.copy().digest('hex')
  }
}

function contentOf(columns: readonly Column[]): (label: Label) => string {
  const order = sortedNames(columns).map(name => columns.findIndex(column => column.name === name))
  return ({ userId, time, values }) =>
    `[${[JSON.stringify(userId), String(time), ...order.map(index => jsonOf(values[index] ?? null))].join(',')}]`
}

function sortedNames(columns: readonly Column[]): string[] {
  return columns.map(({ name }) => name).sort(byCodePoint)
}

function jsonOf(value: RowValue): string {
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}

function typed(value: RowValue, type: Column['type']): RowValue {
  return type === 'int64' && typeof value === 'string' ? BigInt(value) : value
}

function readLine(line: Uint8Array): [userId: string, time: number, row: number, values: readonly RowValue[]] {
  return JSON.parse(Buffer.from(line).toString('utf8')) as ReturnType<typeof readLine>
}

/** By UTF-16 code unit, which is quick and the same everywhere. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
