// Rows as gzipped CSV with a line of names, for spreadsheets and languages that have nothing else. Null is an empty field, empty text is
// `""`; what is a list, a map or JSON is JSON text.
import { gzipSync } from 'node:zlib'
import type { Json } from '../platform/canonical-json.ts'
import type { Column, ColumnType, Row, RowValue } from './columns.ts'
import { csvField, type CsvField, CsvParser, CsvSyntaxError } from './csv-text.ts'
import { gunzipText } from './gzip-text.ts'
import { differs } from './ndjson-rows.ts'
import { notOfType, refuseOtherMembers } from './row-values.ts'
import {
  doubleText,
  fromJson,
  integerOfText,
  integerText,
  timestampOfText,
  timestampText,
  toJsonText,
} from './text-values.ts'

/** Throws CatalogError `row-invalid`. */
export function writeCsv(columns: readonly Column[], rows: readonly Row[]): Uint8Array {
  return gzipSync(csvHead(columns) + csvLines(columns, rows))
}

export function csvHead(columns: readonly Column[]): string {
  return `${columns.map(({ name }) => name).join(',')}\n`
}

/** Throws CatalogError `row-invalid`. */
export function csvLines(columns: readonly Column[], rows: readonly Row[]): string {
  refuseOtherMembers(columns, rows)
  let text = ''
  for (const [index, row] of rows.entries()) {
    for (const [place, { name, type }] of columns.entries()) {
      const value = row[name] ?? null
      const written = value === null ? '' : toCsv(value, type)
      if (written === undefined) throw notOfType(index, { name, type })
      text += place === 0 ? written : `,${written}`
    }
    text += '\n'
  }
  return text
}

/** Columns by their names in the first line, whatever their order. Throws CatalogError `part-differs`. */
export function readCsv(columns: readonly Column[], bytes: Uint8Array): Row[] {
  const [names = [], ...records] = parse(gunzipText(bytes))
  const read = csvRowReader(columns, names)
  return records.map((record, index) => read(record, index + 2))
}

/** Makes rows of the records behind the one with the names; `line` is for the error. Throws CatalogError `part-differs`. */
export function csvRowReader(
  columns: readonly Column[],
  names: readonly CsvField[],
): (record: readonly CsvField[], line: number) => Row {
  const places = columns.map(column => ({ ...column, place: names.indexOf(column.name) }))
  const missing = places.find(({ place }) => place < 0)
  if (missing !== undefined) throw differs(1, `the column "${missing.name}" is not there`)
  const twice = places.find(({ name }) => names.indexOf(name) !== names.lastIndexOf(name))
  if (twice !== undefined) throw differs(1, `two columns are called "${twice.name}"`)
  return (record, line) => {
    if (record.length !== names.length) throw differs(line, `${record.length} fields instead of ${names.length}`)
    const row: Record<string, RowValue> = {}
    for (const { name, type, place } of places) {
      const value = fromCsv(record[place] ?? null, type)
      if (value === undefined) throw differs(line, `"${name}" is not ${type}`)
      row[name] = value
    }
    return row
  }
}

function parse(text: string): CsvField[][] {
  try {
    return new CsvParser().take(text, true)
  } catch (error) {
    if (error instanceof CsvSyntaxError) throw differs(error.record, error.message)
    throw error
  }
}

/** undefined: not of the type. */
function toCsv(value: RowValue, type: ColumnType): string | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' && value.isWellFormed() ? csvField(value) : undefined
    case 'int64':
      return integerText(value)
    case 'double':
      return doubleText(value)
    case 'timestamp':
      return timestampText(value)
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : undefined
    default: {
      const text = toJsonText(value, type)
      return text === undefined ? undefined : csvField(text)
    }
  }
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/** undefined: not of the type. Booleans as R (`TRUE`) and Python (`True`) write them, too. */
export function fromCsv(field: CsvField, type: ColumnType): RowValue | undefined {
  if (field === null) return null
  if (type === 'string') return field
  if (field === '') return null
  switch (type) {
    case 'int64':
      return integerOfText(field)
    case 'double': {
      const number = NUMBER.test(field) ? Number(field) : Number.NaN
      return Number.isFinite(number) ? number : undefined
    }
    case 'timestamp':
      return timestampOfText(field)
    case 'boolean': {
      const word = field.toLowerCase()
      return word === 'true' ? true : word === 'false' ? false : undefined
    }
    default: {
      const value = parseJson(field)
      return value === undefined ? undefined : fromJson(value, type)
    }
  }
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
