// A Parquet file of any writer as rows of the catalogue: 32-bit integers, dates, decimals and finer times become what the catalogue has.
import { asyncBufferFromFile, parquetMetadataAsync, parquetSchema, type SchemaTree } from 'hyparquet'
import type { ColumnType, Row, RowValue, ScalarType } from '../catalog/columns.ts'
import { CommandError } from './errors.ts'
import { otherColumns } from './infer-columns.ts'
import { exactCell, exactParsers, isMap, NotExact } from './parquet-cells.ts'
import { openParquetFile } from './parquet-file.ts'
import type { TableFile } from './table-file.ts'

/** Throws CommandError `file-unreadable`, from here and from its rows; `value-not-exact` of a row. */
export async function openParquetTable(path: string): Promise<TableFile> {
  const file = await openParquetFile(path, exactParsers())
  const { children } = parquetSchema(await parquetMetadataAsync(await asyncBufferFromFile(path)))
  return {
    async look(types) {
      const columns = children.map(child => {
        const { name } = child.element
        return { name, type: types.get(name) ?? typeOf(child) }
      })
      return { columns, rows: file.rowCount }
    },
    async *rows(columns) {
      const refused = otherColumns(file.columns, columns)
      if (refused !== undefined) throw refused
      const types = new Map(columns.map(({ name, type }) => [name, type]))
      let number = 0
      for await (const cells of file.rows()) yield rowOf(cells, children, { types, number: number++ })
    },
  }
}

function rowOf(
  cells: readonly unknown[],
  children: readonly SchemaTree[],
  { types, number }: { readonly types: ReadonlyMap<string, ColumnType>; readonly number: number },
): Row {
  const row: Record<string, RowValue> = {}
  for (const [place, node] of children.entries()) {
    const { name } = node.element
    const type = types.get(name)
    if (type === undefined) continue
    try {
      row[name] = exactCell(cells[place], node, type)
    } catch (error) {
      throw error instanceof NotExact ? notExact(error, { name, number }) : error
    }
  }
  return row
}

function notExact({ message: what }: NotExact, { name, number }: { readonly name: string; readonly number: number }) {
  return new CommandError(`Row ${number} cannot be stored: "${name}" ${what}`, {
    code: 'value-not-exact',
    next: 'Write the file with this column as text in UTF-8, or as numbers that a double holds.',
  })
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
