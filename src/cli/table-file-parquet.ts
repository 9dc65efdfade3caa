// A Parquet file of any writer as rows of the catalogue: 32-bit integers, dates, decimals and finer times become what the catalogue has.
import { asyncBufferFromFile, parquetMetadataAsync, parquetSchema, type SchemaTree } from 'hyparquet'
import type { Column, ColumnType, Row, RowValue, ScalarType } from '../catalog/columns.ts'
import type { Json } from '../platform/canonical-json.ts'
import { openParquetFile } from './parquet-file.ts'
import { otherColumns } from './infer-columns.ts'
import type { TableFile } from './table-file.ts'

/** Throws CommandError `file-unreadable`. */
export async function openParquetTable(path: string): Promise<TableFile> {
  const file = await openParquetFile(path)
  return {
    async look(types) {
      const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path))
      const columns = parquetSchema(metadata).children.map(child => {
        const { name } = child.element
        return { name, type: types.get(name) ?? typeOf(child) }
      })
      return { columns, rows: file.rowCount }
    },
    async *rows(columns) {
      const refused = otherColumns(file.columns, columns)
      if (refused !== undefined) throw refused
      const places = file.columns.map(name => columns.find(column => column.name === name))
      for await (const cells of file.rows()) yield rowOf(cells, places)
    },
  }
}

function rowOf(cells: readonly unknown[], places: readonly (Column | undefined)[]): Row {
  const row: Record<string, RowValue> = {}
  for (const [place, column] of places.entries()) {
    if (column !== undefined) row[column.name] = valueOf(cells[place], column.type)
  }
  return row
}

function typeOf({ element, children }: SchemaTree): ColumnType {
  if (children.length === 0) return scalarOf(element)
  const inner = children[0]?.children ?? []
  const isPlain = inner.every(child => child.children.length === 0)
  const [first, second] = inner.map(child => scalarOf(child.element))
  if (isPlain && inner.length === 1 && first !== undefined && isList(element)) return `list<${first}>`
  if (isPlain && inner.length === 2 && first === 'string' && second !== undefined && isMap(element)) {
    return `map<string,${second}>`
  }
  return 'json'
}

type Element = SchemaTree['element']

function isList({ converted_type, logical_type }: Element): boolean {
  return converted_type === 'LIST' || logical_type?.type === 'LIST'
}

function isMap({ converted_type, logical_type }: Element): boolean {
  return converted_type === 'MAP' || logical_type?.type === 'MAP'
}

function scalarOf({ type, converted_type, logical_type }: Element): ScalarType {
  const logical = logical_type?.type
  if (converted_type === 'JSON' || logical === 'JSON') return 'json'
  if (converted_type === 'DECIMAL' || logical === 'DECIMAL' || logical === 'FLOAT16') return 'double'
  if (converted_type === 'DATE' || logical === 'DATE' || logical === 'TIMESTAMP' || type === 'INT96') return 'timestamp'
  if (converted_type?.startsWith('TIMESTAMP') === true) return 'timestamp'
  if (type === 'BOOLEAN') return 'boolean'
  if (type === 'INT32' || type === 'INT64') return 'int64'
  return type === 'FLOAT' || type === 'DOUBLE' ? 'double' : 'string'
}

/** As the column has it; what does not fit is left as it is, and refused by whoever writes it. */
function valueOf(cell: unknown, type: ColumnType): RowValue {
  if (cell === undefined || cell === null) return null
  if (cell instanceof Date) return type === 'string' ? cell.toISOString() : cell.getTime()
  if (typeof cell === 'bigint') {
    const number = Number(cell)
    return type === 'double' || Number.isSafeInteger(number) ? number : cell
  }
  if (Array.isArray(cell)) return cell.map(element => valueOf(element, elementOf(type))) as RowValue
  if (typeof cell === 'object' && !(cell instanceof Uint8Array)) {
    const members = Object.entries(cell).map(([key, member]) => [key, valueOf(member, elementOf(type))])
    return Object.fromEntries(members) as RowValue
  }
  return cell as Json
}

function elementOf(type: ColumnType): ColumnType {
  const [, of = 'json'] = /[<,](\w+)>$/.exec(type) ?? []
  return of as ColumnType
}
