// The column types of a table, and rows as code sees them. Every column may be null; instants are ms integers, as everywhere.
import * as z from 'zod/mini'
import type { Json } from '../platform/canonical-json.ts'
import { CatalogError } from './errors.ts'

export const SCALAR_TYPES = ['string', 'int64', 'double', 'boolean', 'timestamp', 'json'] as const

export type ScalarType = (typeof SCALAR_TYPES)[number]

/** What is deeper than one list or map is `json`. */
export type ColumnType = ScalarType | `list<${ScalarType}>` | `map<string,${ScalarType}>`

export type ColumnShape = { readonly kind: 'scalar' | 'list' | 'map'; readonly of: ScalarType }

const COLUMN_TYPE = /^(?:(list)<(\w+)>|(map)<string,(\w+)>|(\w+))$/

/** `list<double>` is a list of doubles. Undefined where the text is no type. */
export function columnShape(type: string): ColumnShape | undefined {
  const [, list, ofList, map, ofMap, scalar] = COLUMN_TYPE.exec(type) ?? []
  const of = SCALAR_TYPES.find(name => name === (ofList ?? ofMap ?? scalar))
  if (of === undefined) return undefined
  return { kind: list !== undefined ? 'list' : map !== undefined ? 'map' : 'scalar', of }
}

/** A type in an item or a manifest, checked. */
export const columnType = z.custom<ColumnType>(value => typeof value === 'string' && columnShape(value) !== undefined)

export interface Column {
  readonly name: string
  readonly type: ColumnType
}

/** `int64` is a number while that is exact and a bigint beyond; `timestamp` is ms since 1970, UTC; a map is an object. */
export type RowValue = Json | bigint | readonly (bigint | Json)[] | { readonly [key: string]: bigint | Json }
export type Row = Readonly<Record<string, RowValue>>

/** Every SQL engine takes such a name unquoted, give or take a reserved word. */
const COLUMN_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

/** Throws CatalogError: names that are not names, or appear twice (engines compare them without case), types that are none. */
export function checkColumns(columns: readonly Column[]): void {
  const seen = new Set<string>()
  for (const { name, type } of columns) {
    if (columnShape(type) === undefined) {
      throw new CatalogError(`${JSON.stringify(type)} is no type of a column`, {
        code: 'column-invalid',
        next: `Use ${SCALAR_TYPES.join(', ')}, list<T> or map<string,T> of these; what is deeper is json.`,
      })
    }
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
