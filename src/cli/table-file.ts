// A file of rows on this machine, for `millrace table store`: CSV, NDJSON or Parquet by its name. It is read twice, once for its columns and
// once for its rows, and never held as a whole.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import type { Column, ColumnType, Row } from '../catalog/columns.ts'
import { csvRowReader } from '../catalog/csv-rows.ts'
import { type CsvField, CsvParser, CsvSyntaxError } from '../catalog/csv-text.ts'
import { differs, parseObject, rowOfObject } from '../catalog/ndjson-rows.ts'
import type { Json } from '../platform/canonical-json.ts'
import { splitLines } from '../platform/split-lines.ts'
import { csvText } from './csv.ts'
import { CommandError, UsageError } from './errors.ts'
import { csvGuesses, jsonGuesses, otherColumns } from './infer-columns.ts'
import { openParquetTable } from './table-file-parquet.ts'

export interface Look {
  readonly columns: readonly Column[]
  readonly rows: number
}

export interface TableFile {
  /** Its columns, as the file itself says or its values let guess (`types` beats both), and how many rows it has. */
  look(types: ReadonlyMap<string, ColumnType>): Promise<Look>
  /** Throws CatalogError `part-differs` where a value is not of its column, CommandError where a column is none of these. */
  rows(columns: readonly Column[]): AsyncIterable<Row>
}

/** Throws UsageError of another kind of name, CommandError `file-not-found`. */
export async function openTableFile(path: string): Promise<TableFile> {
  const [, kind] = /\.(csv|ndjson|jsonl|parquet)(?:\.gz)?$/i.exec(path) ?? []
  if (kind === undefined) {
    throw new UsageError(`${path} has none of the names that are read`, 'Name it .csv, .ndjson, .jsonl or .parquet.')
  }
  await stat(path).catch((error: unknown) => Promise.reject(notFound(path, error)))
  if (kind === 'parquet') return openParquetTable(path)
  return kind === 'csv' ? csvFile(path) : ndjsonFile(path)
}

function csvFile(path: string): TableFile {
  return {
    async look(types) {
      let rows = 0
      const guesses = csvGuesses(types)
      let names: readonly string[] | undefined
      for await (const record of csvFileRecords(path)) {
        if (names === undefined) {
          names = namesOf(record)
          for (const name of names) guesses.see(name, null)
        } else if (!isBlank(record)) {
          rows++
          for (const [place, field] of record.entries()) guesses.see(names[place] ?? '', field)
        }
      }
      return { columns: guesses.columns(), rows }
    },
    async *rows(columns) {
      let read: ((record: readonly CsvField[], line: number) => Row) | undefined
      let line = 0
      for await (const record of csvFileRecords(path)) {
        line++
        if (read === undefined) {
          const names = namesOf(record)
          const refused = otherColumns(names, columns)
          if (refused !== undefined) throw refused
          const there = columns.filter(({ name }) => names.includes(name))
          read = csvRowReader(there, names)
        } else if (!isBlank(record)) yield read(record, line)
      }
    },
  }
}

function isBlank(record: readonly CsvField[]): boolean {
  return record.length === 1 && record[0] === null
}

function namesOf(record: readonly CsvField[]): readonly string[] {
  const names = record.map(name => (name ?? '').trim())
  const twice = names.find((name, place) => names.indexOf(name) !== place)
  if (twice === undefined) return names
  throw new CommandError(`Two columns of the file are called "${twice}"`, {
    code: 'column-twice',
    next: 'Give each column a name of its own.',
  })
}

async function* csvFileRecords(path: string): AsyncGenerator<readonly CsvField[]> {
  const parser = new CsvParser()
  let isBegun = false
  try {
    for await (const text of csvText(bytesOf(path))) {
      // A spreadsheet's mark of UTF-8.
      const piece = isBegun || !text.startsWith('\uFEFF') ? text : text.slice(1)
      isBegun ||= text !== ''
      yield* parser.take(piece, false)
    }
    yield* parser.take('', true)
  } catch (error) {
    throw error instanceof CsvSyntaxError ? differs(error.record, error.message) : error
  }
}

function ndjsonFile(path: string): TableFile {
  return {
    async look(types) {
      let rows = 0
      const guesses = jsonGuesses(types)
      for await (const { members, line, hasLongDigits } of objectsOf(path)) {
        rows++
        for (const [name, value] of Object.entries(members)) {
          if (isRounded(value) && !types.has(name)) throw rounded(name, line)
          if (hasLongDigits && isJson(types.get(name)) && isRoundedInside(value)) throw roundedInside(name, line)
          guesses.see(name, value)
        }
      }
      return { columns: guesses.columns(), rows }
    },
    async *rows(columns) {
      const known = new Set(columns.map(({ name }) => name))
      for await (const { members, line } of objectsOf(path)) {
        const names = Object.keys(members)
        if (names.some(name => !known.has(name))) throw otherColumns(names, columns) ?? new Error('unreachable')
        yield rowOfObject(columns, members, line)
      }
    },
  }
}

async function* objectsOf(path: string): AsyncGenerator<{
  readonly members: Readonly<Record<string, Json>>
  readonly line: number
  /** More than a number is sure to hold, and not as a fraction or with an exponent, in which nobody expects the last one. */
  readonly hasLongDigits: boolean
}> {
  let line = 0
  for await (const bytes of splitLines(bytesOf(path))) {
    line++
    const text = textOf(bytes, line)
    if (text.trim() === '') continue
    const members = parseObject(text)
    if (members === undefined) throw differs(line, 'it is no JSON object')
    yield { members, line, hasLongDigits: LONG_INTEGER.test(text) }
  }
}

const LONG_INTEGER = /[[:,\s]-?\d{16,}[\s,\]}]/

const utf8 = new TextDecoder('utf-8', { fatal: true })

function textOf(bytes: Uint8Array, line: number): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new CommandError(`Line ${line} is not UTF-8`, { code: 'file-unreadable', next: 'Save the file as UTF-8.' })
  }
}

/** A column that may be of JSON; of no type yet it may. */
function isJson(type: ColumnType | undefined): boolean {
  return type === undefined || type.includes('json')
}

function isRoundedInside(value: Json | undefined): boolean {
  if (value === null || typeof value !== 'object') return value !== undefined && isRounded(value)
  return Object.values(value).some(isRoundedInside)
}

function roundedInside(name: string, line: number): CommandError {
  return new CommandError(`Line ${line}: in "${name}" is an integer that a number does not hold`, {
    code: 'file-unreadable',
    next: 'Write it as text; whoever reads JSON as numbers would read another one.',
  })
}

/** An integer of which digits may be lost already. */
function isRounded(value: Json): boolean {
  return (
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 2 ** 64
  )
}

function rounded(name: string, line: number): CommandError {
  return new CommandError(`Line ${line}: "${name}" is an integer that a number does not hold`, {
    code: 'file-unreadable',
    next: `Write it as text, or say --type ${name}=double where its last digits do not matter.`,
  })
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path)
  if (!path.toLowerCase().endsWith('.gz')) {
    for await (const chunk of file) yield chunk as Uint8Array
    return
  }
  const gunzip = createGunzip()
  file.on('error', error => gunzip.destroy(error))
  try {
    for await (const chunk of file.pipe(gunzip)) yield chunk as Uint8Array
  } catch (error) {
    throw new CommandError(`${path} cannot be unzipped`, {
      code: 'file-unreadable',
      next: 'Write it again; it is cut short or no gzip.',
      cause: error,
    })
  }
}

function notFound(path: string, cause: unknown): CommandError {
  return new CommandError(`${path} cannot be read`, {
    code: 'file-not-found',
    next: 'Check the name of the file.',
    cause,
  })
}
