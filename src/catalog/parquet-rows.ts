// Rows to the bytes of one Parquet file and back, by an explicit schema: types never depend on the values that happen to come.
// Snappy, because every reader has it built in. Measured over 400,000 rows of ten columns (bench/catalog-rows.ts, sorted by user), CPU of
// one core: Snappy 10.7 MB, written in 1.9 s; plain 17.7 MB in 1.5 s; gzip 8.0 MB in 1.6 s, which DuckDB reads at half the speed; zstd
// 7.0 MB in 1.4 s, but it needs Node 22.15 and a plug-in in browsers.
import { type FileMetaData, parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet'
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer'
import { type Column, columnShape, type Row, type RowValue } from './columns.ts'
import { CatalogError } from './errors.ts'
import { PARQUET_CODECS } from './parquet-codecs.ts'
import { physicalType, schemaElements } from './parquet-types.ts'
import { columnFromParquet, columnsToParquet, floorDivide, type RowRange } from './parquet-values.ts'
import { type ColumnValues, refuseOtherMembers, toRows } from './row-values.ts'

const CODEC = 'SNAPPY'
/**
 * Each has the least and the greatest value of its columns, by which readers leave it out. Of the same rows, one user out of 400,000
 * costs DuckDB 11 ms of CPU in groups of 100,000, 5.6 ms in groups of 25,000 and no less in smaller ones; the file grows by 1.6 %, by
 * 11 % in groups of 5,000. And the first row comes after a quarter of a part.
 */
export const ROW_GROUP_ROWS = 25_000

/** Throws CatalogError `row-invalid`: a value not of its column's type, or a member that is no column. */
export function writeParquet(columns: readonly Column[], rows: readonly Row[]): Uint8Array {
  refuseOtherMembers(columns, rows)
  const writer = new ByteWriter()
  const file = new ParquetWriter({
    writer,
    codec: CODEC,
    createdBy: 'millrace',
    schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(schemaElements)],
  })
  // A row group at a time: the columns of a whole part would outlive many collections of garbage.
  for (let rowStart = 0; rowStart < rows.length; rowStart += ROW_GROUP_ROWS) {
    const rowEnd = Math.min(rows.length, rowStart + ROW_GROUP_ROWS)
    const data = columnsToParquet(rows, columns, { rowStart, rowEnd })
    // A writer into memory is never awaited.
    void file.write({ rowGroupSize: ROW_GROUP_ROWS, columnData: columnSources(columns, data) })
  }
  void file.finish()
  return new Uint8Array(writer.getBuffer())
}

function columnSources(columns: readonly Column[], data: readonly unknown[][]): ColumnSource[] {
  return columns.map(({ name, type }, index) => ({
    name,
    data: data[index] ?? [],
    // Nobody asks for a range of lists, maps and JSON.
    statistics: columnShape(type)?.kind === 'scalar' && type !== 'json',
  }))
}

/** Throws CatalogError `parquet-differs`: a file without one of the columns, or with another physical type. */
export async function readParquet(columns: readonly Column[], bytes: Uint8Array): Promise<Row[]> {
  const rows: Row[] = []
  for await (const group of readParquetGroups(columns, bytes)) for (const row of group) rows.push(row)
  return rows
}

/** A row group at a time. Throws as readParquet. */
export async function* readParquetGroups(
  columns: readonly Column[],
  bytes: Uint8Array,
): AsyncGenerator<readonly Row[]> {
  const file = await openFile(columns, bytes)
  let rowStart = 0
  for (const { num_rows } of file.metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows)
    yield toRows(columns, await readRange(columns, file, { rowStart, rowEnd }), rowEnd - rowStart)
    rowStart = rowEnd
  }
}

export interface ReadColumns {
  readonly rows: number
  /** In the order of the columns that were asked for. */
  readonly data: readonly ColumnValues[]
}

/** The columns that are asked for; the bytes of the others are not looked at. Throws as readParquet. */
export async function readParquetColumns(columns: readonly Column[], bytes: Uint8Array): Promise<ReadColumns> {
  const file = await openFile(columns, bytes)
  const rows = Number(file.metadata.num_rows)
  return { rows, data: await readRange(columns, file, { rowStart: 0, rowEnd: rows }) }
}

interface OpenFile {
  readonly file: ArrayBuffer
  readonly metadata: FileMetaData
}

async function openFile(columns: readonly Column[], bytes: Uint8Array): Promise<OpenFile> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  const metadata = await orUnreadable(parquetMetadataAsync(file))
  refuseOtherColumns(columns, metadata)
  return { file, metadata }
}

/** Of whole row groups. */
async function readRange(
  columns: readonly Column[],
  { file, metadata }: OpenFile,
  range: RowRange,
): Promise<ColumnValues[]> {
  const chunks = new Map<string, Chunk[]>(columns.map(({ name }) => [name, []]))
  const reading = parquetRead({
    file,
    metadata,
    ...range,
    columns: columns.map(column => column.name),
    parsers: PARSERS,
    compressors: PARQUET_CODECS,
    onChunk: chunk => chunks.get(chunk.columnName)?.push(chunk),
  })
  await orUnreadable(reading)
  // Files of other writers may carry the old annotation, whose text the library parses.
  const parsed = new Set(metadata.schema.filter(one => one.converted_type === 'JSON').map(one => one.name))
  return columns.map(column => {
    const into: RowValue[] = []
    into.length = range.rowEnd - range.rowStart
    const isParsed = parsed.has(column.name)
    let found = 0
    for (const { columnData, rowStart } of chunks.get(column.name) ?? []) {
      columnFromParquet(columnData, column, { into, start: rowStart - range.rowStart, isParsed })
      found += columnData.length
    }
    if (found !== into.length) throw unreadable(`"${column.name}" has values for ${found} of ${into.length} rows`)
    return into
  })
}

/** The library throws whatever comes of bytes that are none of Parquet. */
async function orUnreadable<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error), error)
  }
}

function unreadable(what: string, cause?: unknown): CatalogError {
  return new CatalogError(`It is no whole Parquet file: ${what}`, {
    code: 'parquet-differs',
    next: 'Roll the partition back to a batch that can be read, and store this one again.',
    cause,
  })
}

interface Chunk {
  readonly columnData: ArrayLike<unknown>
  readonly rowStart: number
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Instants stay numbers, other writers use finer units; and text stays as it is: the library would take a mark at its start away. */
const PARSERS = {
  timestampFromMilliseconds: (millis: bigint) => millis,
  timestampFromMicroseconds: (micros: bigint) => floorDivide(micros, 1_000n),
  timestampFromNanoseconds: (nanos: bigint) => floorDivide(nanos, 1_000_000n),
  stringFromBytes: (text: Uint8Array | undefined) => text && utf8.decode(text),
}

function refuseOtherColumns(columns: readonly Column[], metadata: FileMetaData): void {
  const found = physicalTypes(metadata)
  for (const { name, type } of columns) {
    if (found.get(name) === physicalType(type)) continue
    throw new CatalogError(`The column "${name}" is ${found.get(name) ?? 'not there'} instead of ${type}`, {
      code: 'parquet-differs',
      next: 'Read it with the schema that it was written with.',
    })
  }
}

/** Of each column by its name; of a list or a map, of what is in it. */
function physicalTypes(metadata: FileMetaData): ReadonlyMap<string, string | undefined> {
  return new Map(
    parquetSchema(metadata).children.map(column => {
      let last = column
      for (let child = last.children.at(-1); child !== undefined; child = last.children.at(-1)) last = child
      return [column.element.name, last.element.type]
    }),
  )
}
