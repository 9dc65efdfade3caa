// What is different between two batches of a table, row by row: rows are paired by their key, whatever order they are in. Both are sorted into
// local files by a hash of the key, and one file of each is in memory at a time.
import { LineSpool } from '../platform/line-spool.ts'
import type { Column, Row } from './columns.ts'
import { type DiffExamples, DiffCounts, SEPARATOR, type RowCounts, type Side } from './diff-counts.ts'
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
  /** Told of all rows as they are read, once, some thousand at a time. */
  readonly onRows?: (side: Side, rows: readonly Row[]) => void
  readonly slots?: number
}

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

const EXAMPLES_DEFAULT = 5
/** What most tables of users are keyed by. */
const KEY_GUESSED = 'user_id'
/** Some MB of a slot are in memory, as they are of its pairs; of more rows than these slots can hold the memory grows. */
const SLOT_ROWS = 20_000
const SLOTS_MAX = 256

/** Throws CatalogError `diff-key-unknown`, and as loading does. */
export async function diffBatches(from: LoadedBatch, to: LoadedBatch, options: DiffOptions): Promise<BatchDiff> {
  const keys = keysOf(from, to, options.keys)
  const { shared, ...columns } = diffColumns(from.manifest.columns, to.manifest.columns)
  const compared = shared.filter(({ name }) => !keys.includes(name))
  const most = Math.max(from.record.rows, to.record.rows)
  const slots = options.slots ?? Math.min(SLOTS_MAX, Math.max(1, Math.ceil(most / SLOT_ROWS)))
  const [before, now] = [new LineSpool(options.folder, 'diff-from'), new LineSpool(options.folder, 'diff-to')]
  const counts = new DiffCounts(compared, options.examplesMax ?? EXAMPLES_DEFAULT)
  try {
    const layout = { keys, compared, slots }
    await spool(from, before, { ...layout, onRows: rows => options.onRows?.('from', rows) })
    await spool(to, now, { ...layout, onRows: rows => options.onRows?.('to', rows) })
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
  readonly onRows: (rows: readonly Row[]) => void
}

async function spool(
  batch: LoadedBatch,
  lines: LineSpool,
  { keys, compared, slots, onRows }: SpoolLayout,
): Promise<void> {
  const names = compared.map(({ name }) => name)
  // A row group at a time: the columns of a whole part take four times as much memory.
  for await (const rows of rowsByPart(batch)) {
    onRows(rows)
    for (const row of rows) {
      const key = textOf(row, keys, ',')
      lines.add(slotOf(key, slots), Buffer.from(`${key}${SEPARATOR}${textOf(row, names, SEPARATOR)}`))
    }
  }
}

function textOf(row: Row, names: readonly string[], separator: string): string {
  let text = ''
  for (let index = 0; index < names.length; index++) {
    if (index > 0) text += separator
    text += valueText(row[names[index] ?? ''])
  }
  return text
}

/** FNV-1a: which file, and nothing else, depends on it. */
function slotOf(key: string, slots: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return (hash >>> 0) % slots
}

async function pairSlot(
  counts: DiffCounts,
  before: AsyncIterable<Uint8Array>,
  now: AsyncIterable<Uint8Array>,
): Promise<void> {
  const waiting = await rowsByKey(before, isRepeated => counts.seen('from', isRepeated))
  const others = await rowsByKey(now, isRepeated => counts.seen('to', isRepeated))
  for (const [key, values] of others) {
    const was = waiting.get(key)
    waiting.delete(key)
    if (typeof was === 'string' && typeof values === 'string') {
      if (was === values) counts.same()
      else counts.changed(key, was, values)
    } else pairKey(counts, key, { before: listOf(was), now: listOf(values) })
  }
  for (const [key, values] of waiting) for (const _ of listOf(values)) counts.removed(key)
}

/** A list only where a key repeats: a million lists of one take as much memory as what is in them. */
type Values = string | string[]

async function rowsByKey(
  lines: AsyncIterable<Uint8Array>,
  seen: (isRepeated: boolean) => void,
): Promise<Map<string, Values>> {
  const rows = new Map<string, Values>()
  for await (const line of lines) {
    const [key, values] = split(line)
    const same = rows.get(key)
    seen(same !== undefined)
    if (same === undefined) rows.set(key, values)
    else if (typeof same === 'string') rows.set(key, [same, values])
    else same.push(values)
  }
  return rows
}

function listOf(values: Values | undefined): readonly string[] {
  return values === undefined ? [] : typeof values === 'string' ? [values] : values
}

/** Equal rows first, so that the order of rows with one key makes no change. */
function pairKey(
  counts: DiffCounts,
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
