// What each column type is in a Parquet file, and its values on the way in and out.
import type { SchemaElement } from 'hyparquet'
import type { Json } from '../platform/canonical-json.ts'
import { type Column, columnShape, type ColumnType, type RowValue, type ScalarType } from './columns.ts'
import { CatalogError } from './errors.ts'

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const

const SCALARS: Readonly<Record<ScalarType, Omit<SchemaElement, 'name'>>> = {
  string: TEXT,
  int64: { type: 'INT64' },
  double: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  timestamp: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
  // Plain text, which every engine's JSON functions take. Under Parquet's own annotation the libraries make and read it in a
  // way that loses `-0` and `__proto__`, and DuckDB takes it for bytes.
  json: TEXT,
}

/** The physical type of the values, of a list's or a map's those in it. */
export function physicalType(type: ColumnType): SchemaElement['type'] {
  return SCALARS[shapeOf(type).of].type
}

/** Of one column, depth first; lists and maps in the three levels of Parquet's LogicalTypes.md. */
export function schemaElements({ name, type }: Column): SchemaElement[] {
  const { kind, of } = shapeOf(type)
  const scalar = SCALARS[of]
  switch (kind) {
    case 'scalar':
      return [{ name, repetition_type: 'OPTIONAL', ...scalar }]
    case 'list':
      return [
        { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', repetition_type: 'OPTIONAL', ...scalar },
      ]
    case 'map':
      return [
        { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } },
        { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
        { name: 'key', repetition_type: 'REQUIRED', ...TEXT },
        { name: 'value', repetition_type: 'OPTIONAL', ...scalar },
      ]
  }
}

/** undefined: not of the type. */
export function toParquet(value: RowValue, type: ColumnType): unknown {
  if (value === null) return null
  const { kind, of } = shapeOf(type)
  if (kind === 'scalar') return scalarToParquet(value, of)
  if (kind === 'list') {
    if (!Array.isArray(value)) return undefined
    const elements = value.map(element => scalarToParquet(element, of))
    return elements.includes(undefined) ? undefined : elements
  }
  if (typeof value !== 'object' || Array.isArray(value)) return undefined
  const entries = Object.entries(value).map(([key, member]) => [key, scalarToParquet(member, of)] as const)
  // A reader makes an object of it, in which that key would be something else.
  const isWrong = entries.some(([key, member]) => member === undefined || key === '__proto__' || !key.isWellFormed())
  return isWrong ? undefined : entries
}

/** Throws CatalogError `parquet-differs`. `isParsed`: the library has parsed the JSON already. */
export function fromParquet(value: unknown, { name, type }: Column, isParsed: boolean): RowValue {
  if (value === undefined || value === null) return null
  const { kind, of } = shapeOf(type)
  const scalar = (member: unknown): Json | bigint => scalarFromParquet(member, { name, type: of }, isParsed)
  if (kind === 'scalar') return scalar(value)
  if (kind === 'list') return (value as readonly unknown[]).map(scalar) as RowValue
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, scalar(member)])) as RowValue
}

function shapeOf(type: ColumnType): NonNullable<ReturnType<typeof columnShape>> {
  const shape = columnShape(type)
  if (shape === undefined) throw new CatalogError(`${type} is no type of a column`, { code: 'column-invalid' })
  return shape
}

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** undefined: not of the type. NaN and infinities are refused, since no two engines order or print them alike. */
function scalarToParquet(value: unknown, type: ScalarType): unknown {
  if (value === null) return null
  switch (type) {
    case 'string':
      return typeof value === 'string' && value.isWellFormed() ? value : undefined
    case 'int64':
    case 'timestamp':
      if (typeof value === 'bigint') return value >= INT64_MIN && value <= INT64_MAX ? value : undefined
      return Number.isSafeInteger(value) ? BigInt(value as number) : undefined
    case 'double':
      return Number.isFinite(value) ? value : undefined
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'json':
      return typeof value === 'bigint' ? undefined : JSON.stringify(value)
  }
}

function scalarFromParquet(
  value: unknown,
  { name, type }: { readonly name: string; readonly type: ScalarType },
  isParsed: boolean,
): Json | bigint {
  if (value === undefined || value === null) return null
  if (typeof value === 'bigint' && (type === 'int64' || type === 'timestamp')) {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
  }
  return type === 'json' && typeof value === 'string' && !isParsed ? parseJson(value, name) : (value as Json)
}

function parseJson(text: string, column: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    throw new CatalogError(`The column "${column}" holds text that is not JSON`, {
      code: 'parquet-differs',
      next: 'Read it as a string.',
      cause: error,
    })
  }
}
