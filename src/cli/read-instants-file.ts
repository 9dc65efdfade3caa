// (user, time) pairs with whatever else their row says (a label, a weight), from CSV, NDJSON or Parquet. The types of the other
// columns are found in the values, as two of the three formats declare none.
import { readFile } from 'node:fs/promises'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { type Column, type ColumnType, checkColumns, type RowValue } from '../catalog/columns.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import { readUserId } from '../event/identity.ts'
import { isProblem } from '../event/problem.ts'
import type { Instant } from '../features/export-rows.ts'
import { parseCsv } from './csv.ts'
import { CommandError } from './errors.ts'
import { fileError } from './read-events-file.ts'

/** All are held in memory while they are sorted by time: about 200 bytes each. */
export const INSTANTS_MAX = 5_000_000

export interface InstantRow extends Instant {
  /** Values of `carried`, in its order. */
  readonly values: readonly RowValue[]
}

export interface InstantsFile {
  /** Ascending by time; those of one time in the order of the file. */
  readonly instants: readonly InstantRow[]
  /** The columns beside `user` and `time`. */
  readonly carried: readonly Column[]
}

type Cells = Readonly<Record<string, unknown>>

/** Throws CommandError, and CatalogError for names that cannot be those of columns. */
export async function readInstantsFile(path: string): Promise<InstantsFile> {
  const rows = await readRows(path).catch((error: unknown) => {
    throw fileError(path, error)
  })
  if (rows.length === 0 || rows.length > INSTANTS_MAX) {
    throw new CommandError(`${path} has ${rows.length} rows`, {
      code: 'instants-invalid',
      next: `Give 1 to ${INSTANTS_MAX.toLocaleString('en')}; split the file by user beyond that.`,
    })
  }
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))].filter(name => name !== 'user' && name !== 'time')
  const carried = names.map(name => ({ name, type: columnType(path, name, rows) }))
  checkColumns(carried)
  const instants = rows.map((row, index) => ({
    userId: userOf(path, row, index),
    time: timeOf(path, row, index),
    values: names.map(name => rowValue(row[name])),
  }))
  return { instants: instants.sort((a, b) => a.time - b.time), carried }
}

async function readRows(path: string): Promise<readonly Cells[]> {
  if (path.endsWith('.parquet')) return parquetRows(path)
  const text = await readFile(path, 'utf8')
  return path.endsWith('.csv') ? csvRows(text) : ndjsonRows(path, text)
}

async function parquetRows(path: string): Promise<readonly Cells[]> {
  const file = await asyncBufferFromFile(path)
  return parquetReadObjects({ file }).catch((error: unknown) => {
    throw new CommandError(`${path} is not Parquet that can be read here: ${String(error)}`, {
      code: 'file-unreadable',
      next: 'Write it with Snappy compression or none.',
      cause: error,
    })
  })
}

function csvRows(text: string): Cells[] {
  const { header, records } = parseCsv(text)
  const isIdOrTime = (name: string): boolean => name === 'user' || name === 'time'
  const readers = header.map((name, column) =>
    isIdOrTime(name) ? (cell: string) => cell : cellReader(records.map(record => record[column] ?? '')),
  )
  return records.map(record =>
    Object.fromEntries(header.map((name, column) => [name, readers[column]?.(record[column] ?? '') ?? null])),
  )
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** A column is of numbers or flags where every cell that is not empty is one. */
function cellReader(cells: readonly string[]): (cell: string) => string | number | boolean | null {
  const filled = cells.filter(cell => cell !== '')
  if (filled.length === 0) return () => null
  if (filled.every(cell => NUMBER.test(cell))) return cell => (cell === '' ? null : Number(cell))
  if (filled.every(cell => cell === 'true' || cell === 'false')) return cell => (cell === '' ? null : cell === 'true')
  return cell => (cell === '' ? null : cell)
}

function ndjsonRows(path: string, text: string): Cells[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      const value: unknown = JSON.parse(line)
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return [value as Cells]
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
    throw invalid(path, index, 'is not a JSON object', 'Name a CSV file .csv and a Parquet file .parquet.')
  })
}

function columnType(path: string, name: string, rows: readonly Cells[]): ColumnType {
  const types = new Set(rows.map(row => valueType(row[name])))
  types.delete('null')
  // Whole numbers among others are numbers like them.
  if (types.has('double')) types.delete('int64')
  const [type, another] = types
  if (another !== undefined || type === 'other') {
    throw new CommandError(`The column "${name}" of ${path} mixes types or holds lists or objects`, {
      code: 'instants-invalid',
      next: 'Keep a column to numbers, texts, flags or times.',
    })
  }
  return type === undefined || type === 'null' ? 'string' : type
}

function valueType(value: unknown): Exclude<ColumnType, 'json'> | 'null' | 'other' {
  if (value === null || value === undefined) return 'null'
  if (value instanceof Date) return 'timestamp'
  switch (typeof value) {
    case 'bigint':
      return 'int64'
    case 'number':
      return Number.isSafeInteger(value) ? 'int64' : 'double'
    case 'string':
      return 'string'
    case 'boolean':
      return 'boolean'
    default:
      return 'other'
  }
}

function rowValue(value: unknown): RowValue {
  if (value instanceof Date) return value.getTime()
  const isScalar = typeof value === 'bigint' || typeof value === 'number' || typeof value === 'string'
  return isScalar || typeof value === 'boolean' ? value : null
}

function userOf(path: string, row: Cells, index: number): string {
  const userId = readUserId(typeof row['user'] === 'bigint' ? Number(row['user']) : row['user'])
  if (!isProblem(userId)) return userId
  throw invalid(path, index, `has a "user" that ${userId.problem}`, 'Each row needs the columns user and time.')
}

function timeOf(path: string, row: Cells, index: number): number {
  const time = row['time']
  const ms = time instanceof Date ? time.getTime() : typeof time === 'string' ? parseRfc3339Ms(time) : undefined
  if (ms !== undefined && ms > 0) return ms
  throw invalid(
    path,
    index,
    'has no "time" with an offset',
    'Write it as 2026-01-02T03:04:05Z, or a Parquet timestamp.',
  )
}

function invalid(path: string, index: number, what: string, next: string): CommandError {
  return new CommandError(`Row ${index + 1} of ${path} ${what}`, { code: 'instants-invalid', next })
}
