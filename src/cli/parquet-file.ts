// A Parquet file row by row, a row group at a time: columns of one group are in memory, and one row.
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet'
import { CommandError } from './errors.ts'
import { fileError } from './read-events-file.ts'

export interface ParquetFile {
  /** Of the top-level columns; what is nested is objects and lists. */
  readonly columns: readonly string[]
  readonly rowCount: number
  /** Cells in the order of `columns`; the array is the reader's until the next one comes. */
  readonly rows: () => AsyncIterable<readonly unknown[]>
}

/** Throws CommandError, from here and from `rows`. */
export async function openParquetFile(path: string): Promise<ParquetFile> {
  try {
    const file = await asyncBufferFromFile(path)
    const metadata = await parquetMetadataAsync(file)
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name)
    const rowCount = Number(metadata.num_rows)
    async function* rows(): AsyncGenerator<readonly unknown[]> {
      let rowStart = 0
      for (const { num_rows } of metadata.row_groups) {
        const rowEnd = rowStart + Number(num_rows)
        const chunks = new ColumnChunks(columns)
        await parquetRead({ file, metadata, rowStart, rowEnd, onChunk: chunk => chunks.add(chunk) }).catch(
          (error: unknown) => Promise.reject(unreadable(path, error)),
        )
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
    next: 'Write it with Snappy compression or none.',
    cause: error,
  })
}

interface Chunk {
  readonly columnName: string
  readonly columnData: ArrayLike<unknown>
  readonly rowStart: number
  readonly rowEnd: number
}

class ColumnChunks {
  readonly #byColumn: readonly (readonly [string, Chunk[]])[]

  constructor(columns: readonly string[]) {
    this.#byColumn = columns.map(name => [name, []])
  }

  add(chunk: Chunk): void {
    this.#byColumn.find(([name]) => name === chunk.columnName)?.[1].push(chunk)
  }

  *rows(rowStart: number, rowEnd: number): Generator<readonly unknown[]> {
    const cursors = this.#byColumn.map(([, chunks]) => ({
      chunks: chunks.sort((a, b) => a.rowStart - b.rowStart),
      at: 0,
    }))
    for (let row = rowStart; row < rowEnd; row++) {
      yield cursors.map(cursor => {
        let chunk = cursor.chunks[cursor.at]
        while (chunk !== undefined && row >= chunk.rowEnd) chunk = cursor.chunks[++cursor.at]
        return chunk?.columnData[row - chunk.rowStart]
      })
    }
  }
}
