// Rows as gzipped lines of JSON, for those who have no Parquet reader: every language has a JSON parser. Each line has all columns, in
// the order of the table.
import { gzipSync } from 'node:zlib'
import type { Json } from '../platform/canonical-json.ts'
import type { Column, Row, RowValue } from './columns.ts'
import { CatalogError } from './errors.ts'
import { gunzipText } from './gzip-text.ts'
import { notOfType, refuseOtherMembers } from './row-values.ts'
import { fromJson, toJsonText } from './text-values.ts'

/** Throws CatalogError `row-invalid`. */
export function writeNdjson(columns: readonly Column[], rows: readonly Row[]): Uint8Array {
  return gzipSync(ndjsonLines(columns, rows))
}

/** Throws CatalogError `row-invalid`. */
export function ndjsonLines(columns: readonly Column[], rows: readonly Row[]): string {
  refuseOtherMembers(columns, rows)
  const begins = columns.map(({ name }, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`)
  let text = ''
  for (const [index, row] of rows.entries()) {
    for (const [place, { name, type }] of columns.entries()) {
      const value = row[name] ?? null
      const written = value === null ? 'null' : toJsonText(value, type)
      if (written === undefined) throw notOfType(index, { name, type })
      text += `${begins[place]}${written}`
    }
    text += '}\n'
  }
  return text
}

/** Members that are no column are left out, and a missing one is null. Throws CatalogError `part-differs`. */
export function readNdjson(columns: readonly Column[], bytes: Uint8Array): Row[] {
  const lines = gunzipText(bytes).split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line, index) => ndjsonRow(columns, line, index + 1))
}

/** `line`: from 1, for the error. Throws CatalogError `part-differs`. */
export function ndjsonRow(columns: readonly Column[], text: string, line: number): Row {
  const members = parseObject(text)
  if (members === undefined) throw differs(line, 'it is no JSON object')
  return rowOfObject(columns, members, line)
}

export function rowOfObject(columns: readonly Column[], members: Readonly<Record<string, Json>>, line: number): Row {
  const row: Record<string, RowValue> = {}
  for (const { name, type } of columns) {
    const value = fromJson(Object.hasOwn(members, name) ? members[name] : null, type)
    if (value === undefined) throw differs(line, `"${name}" is not ${type}`)
    row[name] = value
  }
  return row
}

export function parseObject(text: string): Readonly<Record<string, Json>> | undefined {
  try {
    const parsed = JSON.parse(text) as Json
    return parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)
      ? undefined
      : (parsed as Readonly<Record<string, Json>>)
  } catch {
    return undefined
  }
}

/** Of a part or a file whose text is not what its columns say. */
export function differs(line: number, what: string): CatalogError {
  return new CatalogError(`Line ${line} cannot be read: ${what}`, {
    code: 'part-differs',
    next: 'Read it with the columns that it was written with. An int64 beyond 2^53 is decimal text, a timestamp RFC 3339.',
  })
}
