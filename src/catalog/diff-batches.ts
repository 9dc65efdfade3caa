// What is different between two batches of a table, row by row: rows are paired by their key, whatever order they are in. Both are sorted into
// local files by a hash of the key, and one file of each is in memory at a time.
import { LineSpool } from '../platform/line-spool.ts'
import { type Column, type Row } from './columns.ts'
import { CatalogError } from './errors.ts'
import type { LoadedBatch } from './load-batch.ts'
import { rowsByPart } from './table-rows.ts'
import { valueText } from './value-text.ts'

export interface DiffOptions {
  /** Columns that name a row; guessed where none are given. */
  readonly keys?: readonly string[]
  /** Of the local files. */
  readonly folder: string
  /** Of each kind, the first that are met. */
  readonly examplesMax?: number
  /** Told of every row as it is read, once. */
  readonly onRow?: (side: Side, row: Row) => void
  readonly slots?: number
}

export type Side = 'from' | 'to'

export interface BatchDiff {
  readonly keys: readonly string[]
  readonly columns: ColumnsDiff
  readonly rows: RowCounts
  /** In how many of the changed rows, by column. */
  readonly changedIn: Readonly<Record<string, number>>
  readonly examples: DiffExamples
}

export interface ColumnsDiff {
  readonly added: readonly Column[]
  readonly removed: readonly Column[]
  /** Of another type: their values are not compared. */
  readonly retyped: readonly { readonly name: string; readonly from: string; readonly to: string }[]
}

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

const EXAMPLES_DEFAULT = 5
/** What most tables of users are keyed by. */
const KEY_GUESSED = 'user_id'
/** Some MB of a slot are in memory, as they are of its pairs; of more rows than these slots can hold the memory grows. */
const SLOT_ROWS = 20_000
const SLOTS_MAX = 256
/** No JSON text has one. */
const SEPARATOR = '\t'

/** Throws CatalogError `diff-key-unknown`, and as loading does. */
export async function diffBatches(from: LoadedBatch, to: LoadedBatch, options: DiffOptions): Promise<BatchDiff> {
  const keys = keysOf(from, to, options.keys)
  const { shared, ...columns } = diffColumns(from.manifest.columns, to.manifest.columns)
  const compared = shared.filter(({ name }) => !keys.includes(name))
  const most = Math.max(from.record.rows, to.record.rows)
  const slots = options.slots ?? Math.min(SLOTS_MAX, Math.max(1, Math.ceil(most / SLOT_ROWS)))
  const [before, now] = [new LineSpool(options.folder, 'diff-from'), new LineSpool(options.folder, 'diff-to')]
  const counts = new Counts(compared, options.examplesMax ?? EXAMPLES_DEFAULT)
  try {
    const layout = { keys, compared, slots }
    await spool(from, before, { ...layout, onRow: row => options.onRow?.('from', row) })
    await spool(to, now, { ...layout, onRow: row => options.onRow?.('to', row) })
    for (let slot = 0; slot < slots; slot++) {
      await pairSlot(counts, before.lines(slot), now.lines(slot))
      before.removeSlot(slot)
      now.removeSlot(slot)
    }
  } finally {
    before.remove()
    now.remove()
  }
  return { keys, columns, ...counts.result() }
}

function keysOf(from: LoadedBatch, to: LoadedBatch, given: readonly string[] = []): readonly string[] {
  const { shared } = diffColumns(from.manifest.columns, to.manifest.columns)
  const names = new Set(shared.map(({ name }) => name))
  const keys = given.length > 0 ? given : [KEY_GUESSED]
  const unknown = keys.find(key => !names.has(key))
  if (unknown === undefined) return keys
  const what = given.length > 0 ? `"${unknown}" is not a column of both, of one type` : 'no key was given'
  throw new CatalogError(`The rows of the two batches cannot be paired: ${what}`, {
    code: 'diff-key-unknown',
    next: `Name the columns that name a row, of ${[...names].join(', ') || 'none that both have'}.`,
    batchId: to.record.batchId,
  })
}

/** By name; one of another type is another column. */
export function diffColumns(
  from: readonly Column[],
  to: readonly Column[],
): ColumnsDiff & { readonly shared: readonly Column[] } {
  const before = new Map(from.map(({ name, type }) => [name, type]))
  const now = new Map(to.map(({ name, type }) => [name, type]))
  return {
    added: to.filter(({ name }) => !before.has(name)),
    removed: from.filter(({ name }) => !now.has(name)),
    retyped: from.flatMap(({ name, type }) => {
      const other = now.get(name)
      return other === undefined || other === type ? [] : [{ name, from: type, to: other }]
    }),
    shared: from.filter(({ name, type }) => now.get(name) === type),
  }
}

interface SpoolLayout {
  readonly keys: readonly string[]
  readonly compared: readonly Column[]
  readonly slots: number
  readonly onRow: (row: Row) => void
}

async function spool(
  batch: LoadedBatch,
  lines: LineSpool,
  { keys, compared, slots, onRow }: SpoolLayout,
): Promise<void> {
  for await (const rows of rowsByPart(batch)) {
    for (const row of rows) {
      onRow(row)
      const key = keys.map(name => valueText(row[name])).join(',')
      const values = compared.map(({ name }) => valueText(row[name])).join(SEPARATOR)
      lines.add(slotOf(key, slots), Buffer.from(`${key}${SEPARATOR}${values}`))
    }
  }
}

/** FNV-1a: which file, and nothing else, depends on it. */
function slotOf(key: string, slots: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return (hash >>> 0) % slots
}

async function pairSlot(
  counts: Counts,
  before: AsyncIterable<Uint8Array>,
  now: AsyncIterable<Uint8Array>,
): Promise<void> {
  const waiting = new Map<string, string[]>()
  for await (const line of before) {
    const [key, values] = split(line)
    const same = waiting.get(key)
    counts.seen('from', same !== undefined)
    if (same === undefined) waiting.set(key, [values])
    else same.push(values)
  }
  const others = new Map<string, string[]>()
  for await (const line of now) {
    const [key, values] = split(line)
    const same = others.get(key)
    counts.seen('to', same !== undefined)
    if (same !== undefined) same.push(values)
    // The usual row is paired at once; what is told apart by more than its key waits for all of its key.
    else others.set(key, [values])
  }
  for (const [key, values] of others) {
    pairKey(counts, key, { before: waiting.get(key) ?? [], now: values })
    waiting.delete(key)
  }
  for (const [key, values] of waiting) for (const _ of values) counts.removed(key)
}

/** Equal rows first, so that the order of rows with one key makes no change. */
function pairKey(
  counts: Counts,
  key: string,
  { before, now }: { readonly before: readonly string[]; readonly now: readonly string[] },
): void {
  const left = [...before]
  const other: string[] = []
  for (const values of now) {
    const index = left.indexOf(values)
    if (index === -1) other.push(values)
    else {
      left.splice(index, 1)
      counts.same()
    }
  }
  for (const values of other) {
    const was = left.shift()
    if (was === undefined) counts.added(key)
    else counts.changed(key, was, values)
  }
  for (const _ of left) counts.removed(key)
}

function split(line: Uint8Array): readonly [string, string] {
  const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString()
  const end = text.indexOf(SEPARATOR)
  return [text.slice(0, end), text.slice(end + 1)]
}

class Counts {
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

  result(): Omit<BatchDiff, 'keys' | 'columns'> {
    const inOrder = this.#compared.flatMap(({ name }) => {
      const count = this.#changedIn.get(name)
      return count === undefined ? [] : [[name, count] as const]
    })
    return { rows: { ...this.#rows }, changedIn: Object.fromEntries(inOrder), examples: this.#examples }
  }
}
