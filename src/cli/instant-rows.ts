// The rows of a file of (user, time) pairs as a stream, from CSV, NDJSON or Parquet, with whatever else they say (a label, a
// weight). The types of those columns are found in the values, as two of the three formats declare none: they are known at the end.
import { createReadStream } from 'node:fs'
import { type Column, type ColumnType, checkColumns, type RowValue } from '../catalog/columns.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import { readUserId } from '../event/identity.ts'
import { isProblem } from '../event/problem.ts'
import type { Instant } from '../features/export-rows.ts'
import { splitLines } from '../platform/split-lines.ts'
import { csvRecords, csvText } from './csv.ts'
import { CommandError } from './errors.ts'
import { openParquetFile } from './parquet-file.ts'
import { fileError } from './read-events-file.ts'

export interface InstantRow extends Instant {
  /** Of the columns known so far, in their order: shorter than `carried` where a column came later. */
  readonly values: readonly RowValue[]
}

export interface InstantRows {
  /** Once. Throws CommandError. */
  readonly rows: AsyncIterable<InstantRow>
  /** The columns beside `user` and `time`, when all rows have come. Throws CommandError, CatalogError. */
  carried(): readonly Column[]
}

/** Cells by column name, as the format has them. */
type Cells = Readonly<Record<string, unknown>>

export function readInstantRows(path: string): InstantRows {
  const columns = new CarriedColumns(path)
  async function* rows(): AsyncGenerator<InstantRow> {
    let index = 0
    try {
      for await (const cells of readCells(path)) {
        const [userId, time] = [userOf(path, cells, index), timeOf(path, cells, index)]
        index++
        yield { userId, time, values: columns.values(cells) }
      }
    } catch (error) {
      throw fileError(path, error)
    }
  }
  return { rows: rows(), carried: () => columns.finish() }
}

class CarriedColumns {
  readonly #path: string
  /** Types seen in each column. */
  readonly #columns = new Map<string, Set<ReturnType<typeof valueType>>>()

  constructor(path: string) {
    this.#path = path
  }

  values(cells: Cells): readonly RowValue[] {
    for (const name of Object.keys(cells)) {
      if (name !== 'user' && name !== 'time' && !this.#columns.has(name)) this.#columns.set(name, new Set())
    }
    return Array.from(this.#columns, ([name, types]) => {
      const value = cells[name]
      types.add(valueType(value))
      return rowValue(value)
    })
  }

  finish(): readonly Column[] {
    const columns = Array.from(this.#columns, ([name, types]) => ({ name, type: this.#typeOf(name, types) }))
    checkColumns(columns)
    return columns
  }

  #typeOf(name: string, seen: ReadonlySet<ReturnType<typeof valueType>>): ColumnType {
    const types = new Set(seen)
    types.delete('null')
    // Whole numbers among others are numbers like them.
    if (types.has('double')) types.delete('int64')
    const [type, another] = types
    if (another !== undefined || type === 'other') {
      throw new CommandError(`The column "${name}" of ${this.#path} mixes types or holds lists or objects`, {
        code: 'instants-invalid',
        next: 'Keep a column to numbers, texts, flags or times.',
      })
    }
    return type === undefined || type === 'null' ? 'string' : type
  }
}

function readCells(path: string): AsyncGenerator<Cells> {
  if (path.endsWith('.parquet')) return parquetRows(path)
  return path.endsWith('.csv') ? csvRows(path) : ndjsonRows(path)
}

async function* parquetRows(path: string): AsyncGenerator<Cells> {
  const { columns, rows } = await openParquetFile(path)
  for await (const cells of rows()) yield Object.fromEntries(columns.map((name, index) => [name, cells[index]]))
}

type CellReader = (cell: string) => string | number | boolean | null

/** Two passes: whether a column is of numbers is known when all of it was seen. */
async function* csvRows(path: string): AsyncGenerator<Cells> {
  const kinds: CellKinds[] = []
  let isHeader = true
  for await (const record of csvRecords(textOf(path))) {
    if (isHeader) kinds.push(...record.map(() => new CellKinds()))
    else for (const [column, cell] of record.entries()) kinds[column]?.see(cell)
    isHeader = false
  }
  let header: readonly string[] | undefined
  let readers: readonly CellReader[] = []
  for await (const record of csvRecords(textOf(path))) {
    if (header === undefined) {
      readers = record.map((name, column) =>
        name === 'user' || name === 'time' ? cell => cell : (kinds[column]?.reader() ?? (() => null)),
      )
      header = record
    } else {
      yield Object.fromEntries(header.map((name, column) => [name, readers[column]?.(record[column] ?? '') ?? null]))
    }
  }
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** A column is of numbers or flags where every cell that is not empty is one. */
class CellKinds {
  #isFilled = false
  #isNumbers = true
  #isFlags = true

  see(cell: string): void {
    if (cell === '') return
    this.#isFilled = true
    this.#isNumbers &&= NUMBER.test(cell)
    this.#isFlags &&= cell === 'true' || cell === 'false'
  }

  reader(): CellReader {
    if (!this.#isFilled) return () => null
    if (this.#isNumbers) return cell => (cell === '' ? null : Number(cell))
    if (this.#isFlags) return cell => (cell === '' ? null : cell === 'true')
    return cell => (cell === '' ? null : cell)
  }
}

function textOf(path: string): AsyncIterable<string> {
  return csvText(createReadStream(path))
}

async function* ndjsonRows(path: string): AsyncGenerator<Cells> {
  let index = 0
  for await (const line of splitLines(createReadStream(path))) {
    const text = Buffer.from(line).toString('utf8')
    if (text.trim() !== '') yield parseRow(path, index, text)
    index++
  }
}

function parseRow(path: string, index: number, text: string): Cells {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Cells
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw invalid(path, index, 'is not a JSON object', 'Name a CSV file .csv and a Parquet file .parquet.')
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
