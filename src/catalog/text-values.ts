// Values of columns as JSON text and back, for the formats that are text: what goes in comes out, to the last bit. An int64 that a
// number does not hold is decimal text, a timestamp is RFC 3339, a zero keeps its sign.
import type { Json } from '../platform/canonical-json.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { parseRfc3339Ms } from '../platform/rfc3339.ts'
import type { ColumnType, RowValue, ScalarType } from './columns.ts'
import { exactJsonText } from './json-text.ts'
import { shapeOf } from './parquet-types.ts'

/** JSON text of a value that is not null; undefined: not of the type. */
export function toJsonText(value: RowValue, type: ColumnType): string | undefined {
  const { kind, of } = shapeOf(type)
  if (kind === 'scalar') return scalarToJsonText(value, of)
  if (kind === 'list') {
    if (!Array.isArray(value)) return undefined
    const elements = value.map(element => (element === null ? 'null' : scalarToJsonText(element, of)))
    return elements.includes(undefined) ? undefined : `[${elements.join(',')}]`
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  const members: string[] = []
  for (const [key, member] of Object.entries(value)) {
    const text = member === null ? 'null' : scalarToJsonText(member, of)
    if (text === undefined || key === '__proto__' || !key.isWellFormed()) return undefined
    members.push(`${JSON.stringify(key)}:${text}`)
  }
  return `{${members.join(',')}}`
}

/** The value of parsed JSON; undefined: not of the type. */
export function fromJson(value: Json | undefined, type: ColumnType): RowValue | undefined {
  if (value === null || value === undefined) return null
  const { kind, of } = shapeOf(type)
  if (kind === 'scalar') return scalarFromJson(value, of)
  if (kind === 'list') {
    if (!Array.isArray(value)) return undefined
    const elements = (value as readonly Json[]).map(element => scalarFromJson(element, of))
    return elements.includes(undefined) ? undefined : (elements as RowValue)
  }
  if (typeof value !== 'object' || Array.isArray(value)) return undefined
  const members = Object.entries(value).map(([key, member]) => [key, scalarFromJson(member, of)] as const)
  return members.some(([, member]) => member === undefined) ? undefined : (Object.fromEntries(members) as RowValue)
}

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** Decimal digits; undefined: no integer of 64 bits. */
export function integerText(value: unknown): string | undefined {
  if (typeof value === 'bigint') return value >= INT64_MIN && value <= INT64_MAX ? String(value) : undefined
  return Number.isSafeInteger(value) ? String(value) : undefined
}

/** A number where that is exact, a bigint where it is not; undefined: no integer of 64 bits. */
export function integerOfText(text: string): number | bigint | undefined {
  if (!/^-?\d{1,19}$/.test(text)) return undefined
  const number = Number(text)
  if (Number.isSafeInteger(number)) return number === 0 ? 0 : number
  const value = BigInt(text)
  return value >= INT64_MIN && value <= INT64_MAX ? value : undefined
}

/** RFC 3339 has years of four digits. */
const TIMESTAMP_MS_MIN = Date.parse('0000-01-01T00:00:00Z')
const TIMESTAMP_MS_MAX = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

export function timestampText(value: unknown): string | undefined {
  const ms = typeof value === 'bigint' ? Number(value) : value
  if (typeof ms !== 'number' || !Number.isInteger(ms) || ms < TIMESTAMP_MS_MIN || ms > TIMESTAMP_MS_MAX)
    return undefined
  return toRfc3339(ms)
}

/** ms since 1970; finer fractions are cut off, towards the past. Undefined: no RFC 3339 time, or none that could be written again. */
export function timestampOfText(text: string): number | undefined {
  const ms = parseRfc3339Ms(text)
  return ms === undefined || ms < TIMESTAMP_MS_MIN || ms > TIMESTAMP_MS_MAX ? undefined : ms
}

/** The shortest text that reads back as the same number; of `-0` alone other languages make an integer, which has no sign. */
export function doubleText(value: unknown): string | undefined {
  if (!Number.isFinite(value)) return undefined
  return Object.is(value, -0) ? '-0.0' : String(value)
}

function scalarToJsonText(value: unknown, type: ScalarType): string | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' && value.isWellFormed() ? JSON.stringify(value) : undefined
    case 'int64': {
      const text = integerText(value)
      return text === undefined || typeof value === 'number' || Number.isSafeInteger(Number(text)) ? text : `"${text}"`
    }
    case 'timestamp': {
      const text = timestampText(value)
      return text === undefined ? undefined : `"${text}"`
    }
    case 'double':
      return doubleText(value)
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : undefined
    case 'json':
      return exactJsonText(value)
  }
}

function scalarFromJson(value: Json | undefined, type: ScalarType): Json | bigint | undefined {
  if (value === null || value === undefined) return null
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : undefined
    case 'int64':
      // A number that is not exact was another one before it was parsed.
      if (typeof value === 'number') return Number.isSafeInteger(value) ? (value === 0 ? 0 : value) : undefined
      return typeof value === 'string' ? integerOfText(value) : undefined
    case 'timestamp':
      return typeof value === 'string' ? timestampOfText(value) : undefined
    case 'double':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'json':
      return value
  }
}
