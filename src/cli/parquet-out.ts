// Rows to one Parquet file on this machine, a row group at a time. Written beside its path and renamed at the end: whoever sees the
// file sees all of it.
import { access, rename, rm } from 'node:fs/promises'
import { fileWriter, parquetWriteRows } from 'hyparquet-writer'
import type { Column, Row } from '../catalog/columns.ts'
import { schemaElements } from '../catalog/parquet-types.ts'
import { toParquet } from '../catalog/parquet-values.ts'
import { CommandError } from './errors.ts'

/** What readers want (enough rows to compress, few enough to skip) and what this process holds at a time. */
const ROW_GROUP_ROWS = 50_000

export interface ParquetOut {
  readonly columns: readonly Column[]
  readonly rows: AsyncIterable<Row>
  /** Of the file itself: key → text. */
  readonly metadata: Readonly<Record<string, string>>
}

/** Throws CommandError: nothing is overwritten. */
export async function refuseExisting(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (!exists) return
  throw new CommandError(`${path} exists already`, {
    code: 'file-exists',
    next: 'Give another --out; nothing is overwritten.',
  })
}

/** Returns the number of rows. */
export async function writeParquetFile(path: string, { columns, rows, metadata }: ParquetOut): Promise<number> {
  let count = 0
  async function* records(): AsyncGenerator<Record<string, unknown>> {
    for await (const row of rows) {
      count++
      yield Object.fromEntries(columns.map(({ name, type }) => [name, valueOf(row, { name, type })]))
    }
  }
  const unfinished = `${path}.unfinished`
  try {
    await parquetWriteRows({
      writer: fileWriter(unfinished),
      rows: records(),
      columns: columns.map(({ name }) => ({ name })),
      schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(schemaElements)],
      rowGroupSize: ROW_GROUP_ROWS,
      kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    })
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
  return count
}

function valueOf(row: Row, { name, type }: Column): unknown {
  const value = toParquet(row[name] ?? null, type)
  if (value !== undefined) return value
  throw new CommandError(`"${name}" is not ${type}`, { code: 'row-invalid', next: 'Give each column its type.' })
}
