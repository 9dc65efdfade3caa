// Counts the rows of a part in Parquet and decodes each value as its readers will: a column of a row group at a time, and nothing before what
// the footer and the pages say of it was held against the table and against what fits into memory.
import {
  type ColumnMetaData,
  type FileMetaData,
  parquetRead,
  parquetSchema,
  type RowGroup,
  type SchemaTree,
} from 'hyparquet'
import type { Column, RowValue } from './columns.ts'
import { CatalogError } from './errors.ts'
import { PARQUET_CODECS } from './parquet-codecs.ts'
import { CHUNK_VALUES_MAX, chunkRange, pagesProblem } from './parquet-pages.ts'
import { parquetFooter } from './parquet-row-count.ts'
import { shapeProblem } from './parquet-shape.ts'
import { shapeOf } from './parquet-types.ts'
import { columnFromParquet } from './parquet-values.ts'
import type { ReadBudget } from './read-budget.ts'

export interface ParquetPart {
  readonly columns: readonly Column[]
  readonly body: Uint8Array
  readonly budget: ReadBudget
}

/** By which a file of Parquet begins, and ends. */
const MAGIC = 'PAR1'
const BUILT_IN_CODECS = ['UNCOMPRESSED', 'SNAPPY']

/** Throws CatalogError `part-differs`, `part-too-big`. */
export async function countParquetRows(part: ParquetPart): Promise<number> {
  const { columns, body } = part
  const metadata = parquetFooter(body)
  const isWhole = metadata !== undefined && Buffer.from(body.subarray(0, MAGIC.length)).toString('latin1') === MAGIC
  if (!isWhole) throw differs('it is no Parquet file')
  const root = rootOf(metadata)
  for (const column of columns) {
    const problem = shapeProblem(column, root)
    if (problem !== undefined) throw differs(problem)
  }
  let rows = 0
  for (const group of metadata.row_groups) {
    const rowEnd = rows + Number(group.num_rows)
    for (const column of columns) await checkColumn(part, metadata, { group, column, rowStart: rows, rowEnd })
    rows = rowEnd
  }
  if (rows !== Number(metadata.num_rows))
    throw differs(`its row groups have ${rows} rows, and its footer says ${metadata.num_rows}`)
  return rows
}

function rootOf(metadata: FileMetaData): SchemaTree {
  try {
    return parquetSchema(metadata)
  } catch (error) {
    throw differs('its footer has no whole schema', error)
  }
}

interface ColumnOfGroup {
  readonly group: RowGroup
  readonly column: Column
  readonly rowStart: number
  readonly rowEnd: number
}

async function checkColumn(part: ParquetPart, metadata: FileMetaData, of: ColumnOfGroup): Promise<void> {
  const where = `the column "${of.column.name}", rows ${of.rowStart + 1} to ${of.rowEnd}`
  try {
    const problem = chunksProblem(part, of)
    if (problem !== undefined) throw differs(`${where}: ${problem}`)
    const found = await decode(part, metadata, of)
    const expected = of.rowEnd - of.rowStart
    if (found !== expected) throw differs(`${where}: there are values for ${found} rows`)
  } catch (error) {
    if (error instanceof CatalogError && error.code !== 'parquet-differs') throw error
    throw differs(`${where}: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

/** Of a list or a map there are several chunks, or one. */
function chunksProblem({ body, budget }: ParquetPart, { group, column, rowStart, rowEnd }: ColumnOfGroup) {
  const { kind } = shapeOf(column.type)
  const chunks = group.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === column.name)
  if (chunks.length !== (kind === 'map' ? 2 : 1)) return `it has ${chunks.length} chunks`
  for (const { meta_data: meta, file_path } of chunks) {
    if (meta === undefined || file_path !== undefined) return 'its values are in another file, or encrypted'
    const problem = metaProblem(meta, kind === 'scalar', rowEnd - rowStart)
    if (problem !== undefined) return problem
    const range = chunkRange(meta, body.byteLength)
    if (range === undefined) return 'it ends behind the file'
    budget.spendValues(Number(meta.num_values))
    const inPages = pagesProblem(body.subarray(range.start, range.end), meta, budget)
    if (inPages !== undefined) return inPages
  }
  return undefined
}

function metaProblem({ codec, num_values }: ColumnMetaData, isScalar: boolean, rows: number): string | undefined {
  if (!BUILT_IN_CODECS.includes(codec) && !(codec in PARQUET_CODECS)) return `it is compressed with ${codec}`
  const values = Number(num_values)
  if (values > CHUNK_VALUES_MAX) return `there are ${values} values in a row group: ${CHUNK_VALUES_MAX} at most`
  const fits = isScalar ? values === rows : values >= rows
  return fits && rows >= 0 ? undefined : `there are ${values} values for ${rows} rows`
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The count of rows for which there were values. */
async function decode({ body }: ParquetPart, metadata: FileMetaData, of: ColumnOfGroup): Promise<number> {
  const { column, rowStart, rowEnd } = of
  const { kind, of: scalar } = shapeOf(column.type)
  const isParsed = metadata.schema.some(({ name, converted_type }) => name === column.name && converted_type === 'JSON')
  const chunks: ArrayLike<unknown>[] = []
  await parquetRead({
    file: { byteLength: body.byteLength, slice: (start, end) => bufferOf(body.subarray(start, end)) },
    metadata,
    rowStart,
    rowEnd,
    columns: [column.name],
    compressors: PARQUET_CODECS,
    parsers: { stringFromBytes: text => text && utf8.decode(text) },
    // Nobody would hear of what is thrown here.
    onChunk: ({ columnData }) => chunks.push(columnData),
  })
  // Other values are what the library has made of their type.
  const isChecked = kind !== 'scalar' || scalar === 'json'
  for (const chunk of chunks) {
    const into: RowValue[] = []
    if (isChecked) columnFromParquet(chunk, column, { into, start: 0, isParsed })
  }
  return chunks.reduce((rows, { length }) => rows + length, 0)
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}

function differs(what: string, cause?: unknown): CatalogError {
  return new CatalogError(`The part cannot be read: ${what}`, {
    code: 'part-differs',
    next: 'Write it with the types of docs/catalog.md, "Columns".',
    cause,
  })
}
