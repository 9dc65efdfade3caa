// `--outcomes` as people write it: events and a field, a file, or a table of the catalogue; and behind it what counts as 1.
import { resolve } from 'node:path'
import type { Catalog } from '../catalog/catalog.ts'
import type { Row, RowValue } from '../catalog/columns.ts'
import { checkPartition, parseTableName, type PartitionRef } from '../catalog/names.ts'
import { loadRows } from '../catalog/table-rows.ts'
import type { OutcomeSource } from '../performance/model-performance.ts'
import { COMPARISONS, type RawOutcome, type Threshold } from '../performance/outcomes.ts'
import { CommandError, UsageError } from './errors.ts'
import { readInstantRows } from './instant-rows.ts'

export type NamedOutcomes =
  | { readonly kind: 'events'; readonly type: string; readonly field: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'table'; readonly ref: PartitionRef }

const FORM = 'EVENT_TYPE.FIELD, FILE.csv, FILE.parquet, FILE.ndjson or DB.TABLE/PARTITION'

/** `order.placed.amount above 15`, `outcomes.csv`. Throws UsageError, CatalogError `name-invalid`. */
export function parseOutcomes(text: string): {
  readonly named: NamedOutcomes
  readonly threshold: Threshold | undefined
} {
  const match = /^(.*?)(?:\s+(\w+)\s+(-?\d+(?:\.\d+)?))?$/.exec(text.trim())
  const [, name = '', word, number] = match ?? []
  const named = nameOf(name)
  if (word === undefined) return { named, threshold: undefined }
  const comparison = COMPARISONS.find(each => each === word)
  if (comparison !== undefined) return { named, threshold: { comparison, than: Number(number) } }
  throw new UsageError(
    `"${word}" is no comparison`,
    `Write one of ${COMPARISONS.join(', ')}, as in "${name} above 15".`,
  )
}

function nameOf(name: string): NamedOutcomes {
  if (/\.(csv|parquet|ndjson|jsonl)$/.test(name)) return { kind: 'file', path: name }
  const [table, partition, ...more] = name.split('/')
  if (table !== undefined && partition !== undefined && more.length === 0) {
    const ref = { ...parseTableName(table), partition }
    checkPartition(ref)
    return { kind: 'table', ref }
  }
  const dot = name.lastIndexOf('.')
  if (dot > 0 && !/[\s/]/.test(name)) return { kind: 'events', type: name.slice(0, dot), field: name.slice(dot + 1) }
  throw new UsageError(`"${name}" names no outcomes`, `Write ${FORM}; a threshold may follow, as in "… above 15".`)
}

export interface OutcomeReading {
  readonly catalog: Catalog
  readonly cwd: string
  /** The column with what was seen. */
  readonly label: string
}

export function outcomeSource(named: NamedOutcomes, { catalog, cwd, label }: OutcomeReading): OutcomeSource {
  switch (named.kind) {
    case 'events':
      return named
    case 'file':
      return { kind: 'rows', rows: () => fileOutcomes(resolve(cwd, named.path), label) }
    case 'table':
      return { kind: 'rows', rows: () => tableOutcomes(catalog, named.ref, label) }
  }
}

async function* fileOutcomes(path: string, label: string): AsyncGenerator<RawOutcome> {
  const file = readInstantRows(path)
  let columns: readonly string[] = []
  for await (const { userId, time, values } of file.rows) {
    // A row has a value for each column known so far: a longer one brings another.
    if (values.length > columns.length) columns = file.carried().map(({ name }) => name)
    const cell = (name: string): RowValue => values[columns.indexOf(name)] ?? null
    if (!columns.includes(label)) throw noColumn(path, label, columns)
    yield { userId, time, label: labelOf(path, cell(label)), weight: weightOf(path, cell('weight')) }
  }
}

async function* tableOutcomes(catalog: Catalog, ref: PartitionRef, label: string): AsyncGenerator<RawOutcome> {
  const where = `${ref.db}.${ref.table}/${ref.partition}`
  for await (const row of loadRows(catalog, ref)) {
    if (row[label] === undefined) throw noColumn(where, label, Object.keys(row))
    const [userId, time] = [row['user'] ?? row['user_id'], row['time']]
    if (typeof userId !== 'string' || typeof time !== 'number') throw noColumn(where, 'user and time', Object.keys(row))
    yield { userId, time, label: labelOf(where, row[label]), weight: weightOf(where, cellOf(row, 'weight')) }
  }
}

function cellOf(row: Row, name: string): RowValue {
  return row[name] ?? null
}

function labelOf(where: string, cell: RowValue): RawOutcome['label'] {
  if (cell === null || typeof cell === 'number' || typeof cell === 'boolean') return cell
  throw wrongCell(where, 'label', cell)
}

/** 1 where there is none. */
function weightOf(where: string, cell: RowValue): number {
  if (cell === null) return 1
  if (typeof cell === 'number') return cell
  throw wrongCell(where, 'weight', cell)
}

function noColumn(where: string, wanted: string, columns: readonly string[]): CommandError {
  return new CommandError(`${where} has no column ${wanted}`, {
    code: 'outcomes-invalid',
    next: `Outcomes need the columns user, time and label (or another by --label). It has: ${columns.join(', ')}.`,
  })
}

function wrongCell(where: string, what: string, cell: RowValue): CommandError {
  return new CommandError(`${where} has a ${what} that is ${typeof cell}, not a number or a flag`, {
    code: 'outcomes-invalid',
    next: 'Write labels as numbers or as true and false.',
  })
}
