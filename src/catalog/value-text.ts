// A value of a row as text that is the same for equal values, whatever they are held as: keys of an object in any order, an integer as a number
// or as a bigint.
import { byCodePoint } from '../platform/canonical-json.ts'
import type { RowValue } from './columns.ts'

/** Canonical JSON, of bigints as well. */
export function valueText(value: RowValue | undefined): string {
  if (value === null || value === undefined) return 'null'
  // Most values are numbers; none is infinite. A zero has its sign, as it has for the checksum.
  if (typeof value === 'number') return value === 0 && Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(valueText).join(',')}]`
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  const sorted = members.toSorted(([a], [b]) => byCodePoint(a, b))
  return `{${sorted.map(([name, member]) => `${JSON.stringify(name)}:${valueText(member)}`).join(',')}}`
}

function isList(value: object): value is readonly RowValue[] {
  return Array.isArray(value)
}
