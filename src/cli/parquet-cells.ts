// A cell of a Parquet file of any writer as the catalogue has it, or the refusal of it: the reader makes U+FFFD of bytes that are no text,
// a double of a decimal of any length, and times are finer than here; none of that is told.
import type { ParquetParsers, SchemaTree } from 'hyparquet'
import type { ColumnType, RowValue } from '../catalog/columns.ts'
import { floorDivide } from '../catalog/parquet-values.ts'
import type { Json } from '../platform/canonical-json.ts'

/** What cannot be kept; of which row and column is for its catcher to say. */
export class NotExact extends Error {}

/** Up to so many digits a decimal is the double that is next to it, and no other decimal is. */
const DECIMAL_EXACT_MAX = 1e15

/** Stands for bytes that the parser should have made text or JSON of, in the place of a value or of a key. */
const UNREADABLE = Symbol('unreadable')

/** For one file. Finer times than milliseconds are cut off towards the past, as of text. */
export function exactParsers(): Partial<ParquetParsers> {
  // A mark at the start of a text is part of it.
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const orUnreadable = (read: () => unknown): unknown => {
    try {
      return read()
    } catch {
      return UNREADABLE
    }
  }
  return {
    timestampFromMicroseconds: micros => new Date(Number(floorDivide(micros, 1_000n))),
    timestampFromNanoseconds: nanos => new Date(Number(floorDivide(nanos, 1_000_000n))),
    stringFromBytes: bytes => bytes && orUnreadable(() => utf8.decode(bytes)),
    jsonFromBytes: bytes => bytes && orUnreadable(() => JSON.parse(utf8.decode(bytes))),
  }
}

/** What is of another type than its column is left as it is, and refused by whoever writes it. Throws NotExact. */
export function exactCell(cell: unknown, node: SchemaTree | undefined, type: ColumnType): RowValue {
  if (cell === undefined || cell === null) return null
  if (cell === UNREADABLE || cell instanceof Uint8Array) throw noText()
  if (node !== undefined && isDecimal(node)) return exactDecimal(cell, node)
  if (cell instanceof Date) return instant(cell, type)
  if (typeof cell === 'bigint') {
    const number = Number(cell)
    const isKept = type === 'double' ? BigInt(number) === cell : Number.isSafeInteger(number)
    return isKept ? number : cell
  }
  if (Array.isArray(cell)) {
    const element = node === undefined ? undefined : elementNode(node)
    return cell.map(each => exactCell(each, element, elementOf(type))) as RowValue
  }
  if (typeof cell === 'object') return members(cell, node, type)
  return cell as Json
}

function noText(): NotExact {
  return new NotExact('holds bytes that are no text in UTF-8')
}

function members(cell: object, node: SchemaTree | undefined, type: ColumnType): RowValue {
  // A key of a map.
  if (UNREADABLE in cell) throw noText()
  const isOfMap = node !== undefined && isMap(node.element)
  const entries = Object.entries(cell).map(([key, member]) => {
    const own = isOfMap ? node.children[0]?.children[1] : node?.children.find(({ element: { name } }) => name === key)
    return [key, exactCell(member, own, elementOf(type))] as const
  })
  return Object.fromEntries(entries) as RowValue
}

function instant(cell: Date, type: ColumnType): RowValue {
  if (Number.isNaN(cell.getTime())) throw new NotExact('holds a time that is out of range')
  return type === 'string' ? cell.toISOString() : cell.getTime()
}

/** The reader multiplies by a power of ten, which leaves 19.990000000000002 of 19.99: its places tell what was written. */
function exactDecimal(cell: unknown, { element }: SchemaTree): RowValue {
  const scale = element.scale ?? (element.logical_type?.type === 'DECIMAL' ? element.logical_type.scale : 0)
  // Without the older annotation the reader leaves the digits as they are.
  const value = element.converted_type === 'DECIMAL' ? Number(cell) : Number(`${String(cell)}e-${scale}`)
  if (Math.abs(value) * 10 ** scale >= DECIMAL_EXACT_MAX) {
    throw new NotExact('is a decimal of more than 15 digits, which a double does not hold')
  }
  return Number(value.toFixed(scale))
}

function isDecimal({ element: { converted_type, logical_type }, children }: SchemaTree): boolean {
  return children.length === 0 && (converted_type === 'DECIMAL' || logical_type?.type === 'DECIMAL')
}

export function isMap({ converted_type, logical_type }: SchemaTree['element']): boolean {
  return converted_type === 'MAP' || logical_type?.type === 'MAP'
}

/** Of a list: what is repeated in it, or the one thing in that. Of a list in the oldest way, which is itself repeated, itself. */
function elementNode(node: SchemaTree): SchemaTree {
  const [repeated] = node.children
  if (node.element.repetition_type === 'REPEATED' || repeated === undefined) return node
  return repeated.children.length === 1 ? (repeated.children[0] ?? repeated) : repeated
}

function elementOf(type: ColumnType): ColumnType {
  const [, of = 'json'] = /[<,](\w+)>$/.exec(type) ?? []
  return of as ColumnType
}
