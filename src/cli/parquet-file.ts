// A Parquet file row by row, a row group at a time: columns of one group are in memory, and one row.
import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  type ParquetParsers,
  parquetRead,
  parquetSchema,
  type SchemaElement,
} from 'hyparquet'
import { PARQUET_CODECS } from '../catalog/parquet-codecs.ts'
import { CommandError } from './errors.ts'
import { fileError } from './read-events-file.ts'

export interface ParquetFile {
  /** Of the top-level columns; what is nested is objects and lists. */
  readonly columns: readonly string[]
  readonly rowCount: number
  /** Cells in the order of `columns`; the array is the reader's until the next one comes. */
  readonly rows: () => AsyncIterable<readonly unknown[]>
}

/** Throws CommandError, from here and from `rows`. `parsers` instead of the reader's own. */
export async function openParquetFile(path: string, parsers: Partial<ParquetParsers> = {}): Promise<ParquetFile> {
  try {
    const file = await asyncBufferFromFile(path)
    const metadata = await parquetMetadataAsync(file)
    const elements = parquetSchema(metadata).children.map(({ element }) => element)
    const columns = elements.map(({ name }) => name)
    const rowCount = Number(metadata.num_rows)
    async function* rows(): AsyncGenerator<readonly unknown[]> {
      let rowStart = 0
      for (const { num_rows } of metadata.row_groups) {
        const rowEnd = rowStart + Number(num_rows)
        const chunks = new ColumnChunks(elements)
        await parquetRead({
          file,
          metadata,
          rowStart,
          rowEnd,
          compressors: PARQUET_CODECS,
          parsers,
          onChunk: chunk => chunks.add(chunk),
        }).catch((error: unknown) => Promise.reject(unreadable(path, error)))
        yield* chunks.rows(rowStart, rowEnd)
        rowStart = rowEnd
      }
    }
    return { columns, rowCount, rows }
  } catch (error) {
    const known = fileError(path, error)
    throw known === error ? unreadable(path, error) : known
  }
}

function unreadable(path: string, error: unknown): CommandError {
  return new CommandError(`${path} is not Parquet that can be read here: ${String(error)}`, {
    code: 'file-unreadable',
    next: 'Write it with Snappy compression, gzip or none.',
    cause: error,
  })
}

interface Chunk {
  readonly columnName: string
  readonly columnData: ArrayLike<unknown>
  readonly rowStart: number
  readonly rowEnd: number
}

interface Column {
  readonly name: string
  readonly chunks: Chunk[]
  readonly exact: (cell: unknown) => unknown
}

class ColumnChunks {
  readonly #columns: readonly Column[]

  constructor(elements: readonly SchemaElement[]) {
    this.#columns = elements.map(element => ({ name: element.name, chunks: [], exact: exactReader(element) }))
  }

  add(chunk: Chunk): void {
    this.#columns.find(({ name }) => name === chunk.columnName)?.chunks.push(chunk)
  }

  *rows(rowStart: number, rowEnd: number): Generator<readonly unknown[]> {
    const cursors = this.#columns.map(({ chunks, exact }) => ({
      chunks: chunks.sort((a, b) => a.rowStart - b.rowStart),
      exact,
      at: 0,
    }))
    for (let row = rowStart; row < rowEnd; row++) {
      yield cursors.map(cursor => {
        let chunk = cursor.chunks[cursor.at]
        while (chunk !== undefined && row >= chunk.rowEnd) chunk = cursor.chunks[++cursor.at]
        return cursor.exact(chunk?.columnData[row - chunk.rowStart])
      })
    }
  }
}

/** The reader multiplies a decimal by a power of ten, which leaves 19.990000000000002 of 19.99: its places tell what was written. */
function exactReader({ converted_type: type, scale = 0 }: SchemaElement): Column['exact'] {
  if (type !== 'DECIMAL') return cell => cell
  return cell => (typeof cell === 'number' ? Number(cell.toFixed(scale)) : cell)
}
