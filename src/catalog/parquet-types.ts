// What each column type is in a Parquet file.
import type { SchemaElement } from 'hyparquet'
import { type Column, type ColumnShape, columnShape, type ColumnType, type ScalarType } from './columns.ts'
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

/** Throws CatalogError `column-invalid`. */
export function shapeOf(type: ColumnType): ColumnShape {
  const shape = columnShape(type)
  if (shape === undefined) throw new CatalogError(`${type} is no type of a column`, { code: 'column-invalid' })
  return shape
}
