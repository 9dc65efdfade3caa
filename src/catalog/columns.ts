// The column types of a table, and rows as code sees them. Every column may be null; instants are ms integers, as everywhere.
import type { Json } from '../platform/canonical-json.ts'
import { CatalogError } from './errors.ts'

export const COLUMN_TYPES = ['string', 'int64', 'double', 'boolean', 'timestamp', 'json'] as const

export type ColumnType = (typeof COLUMN_TYPES)[number]

export interface Column {
  readonly name: string
  readonly type: ColumnType
}

/** `int64` is a number while that is exact and a bigint beyond; `timestamp` is ms since 1970, UTC. */
export type RowValue = Json | bigint
export type Row = Readonly<Record<string, RowValue>>

/** Every SQL engine takes such a name unquoted, give or take a reserved word. */
const COLUMN_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

/** Throws CatalogError: names that are not names, or appear twice (engines compare them without case). */
export function checkColumns(columns: readonly Column[]): void {
  const seen = new Set<string>()
  for (const { name } of columns) {
    if (!COLUMN_NAME.test(name) || name.toLowerCase() === '__proto__') {
      throw new CatalogError(`${JSON.stringify(name)} cannot be the name of a column`, {
        code: 'column-invalid',
        next: 'Use letters, digits and _, a letter first.',
      })
    }
    if (seen.has(name.toLowerCase())) {
      throw new CatalogError(`The column "${name}" appears twice (upper and lower case are one name)`, {
        code: 'column-invalid',
        next: 'Rename one of the two.',
      })
    }
    seen.add(name.toLowerCase())
  }
}
