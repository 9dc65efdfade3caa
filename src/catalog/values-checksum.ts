// One SHA-256 of the values of rows, the same from every language, whatever the format, the order of rows and columns, and who has read
// them. docs/catalog.md, "Checksum of values", is the definition; Python and R repeat it.
import { createHash } from 'node:crypto'
import { byCodePoint, type Json } from '../platform/canonical-json.ts'
import { type Column, columnShape, type Row, type RowValue, type ScalarType } from './columns.ts'

/** Of the given columns, which a test may choose. All lines are held. */
export async function valuesChecksum(
  columns: readonly Column[],
  rows: Iterable<Row> | AsyncIterable<Row>,
): Promise<string> {
  const ordered = columns.toSorted((a, b) => byCodePoint(a.name, b.name))
  const lines: Buffer[] = []
  for await (const row of rows) lines.push(Buffer.from(valuesLine(ordered, row)))
  lines.sort((a, b) => a.compare(b))
  const hash = createHash('sha256').update(`${ordered.map(({ name }) => name).join('\t')}\n`)
  for (const line of lines) hash.update(line).update('\n')
  return hash.digest('hex')
}

/** Without the line break. */
export function valuesLine(columns: readonly Column[], row: Row): string {
  return columns.map(({ name, type }) => valueText(row[name] ?? null, type)).join('\t')
}

const NULL = '\\N'

function valueText(value: RowValue, type: string): string {
  if (value === null) return NULL
  const { kind, of } = columnShape(type) ?? { kind: 'scalar', of: 'json' }
  if (kind === 'scalar') return scalarText(value, of, false)
  if (Array.isArray(value)) return `[${value.map(element => scalarText(element, of, true)).join(',')}]`
  return objectText(value as Readonly<Record<string, Json>>, member => scalarText(member, of, true))
}

/** `isInside` of a list, a map or JSON, where text is in quotes. */
function scalarText(value: unknown, type: ScalarType, isInside: boolean): string {
  if (value === null || value === undefined) return NULL
  if (type === 'json') return jsonText(value as Json)
  if (typeof value === 'string') return isInside ? quoted(value) : escaped(value)
  if (type === 'double') return doubleBits(Number(value))
  return String(value as number | bigint | boolean)
}

function jsonText(value: Json): string {
  if (value === null) return NULL
  if (typeof value === 'number') return doubleBits(value)
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  return objectText(value as Readonly<Record<string, Json>>, jsonText)
}

function objectText(value: Readonly<Record<string, Json>>, text: (member: Json) => string): string {
  const members = Object.keys(value)
    .sort(byCodePoint)
    .map(key => `${quoted(key)}:${text(value[key] ?? null)}`)
  return `{${members.join(',')}}`
}

/** The shortest decimal text is another one in each language; the bits are the same in all. */
function doubleBits(value: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes.toString('hex')
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r', '"': '\\"' }

function escaped(text: string): string {
  return text.replace(/[\\\t\n\r]/g, character => ESCAPES[character] ?? character)
}

function quoted(text: string): string {
  return `"${text.replace(/[\\\t\n\r"]/g, character => ESCAPES[character] ?? character)}"`
}
