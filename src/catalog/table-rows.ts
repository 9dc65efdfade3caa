// Rows in and out of a table of the catalogue, as a stream: no more than one part of rows is in memory.
import type { Catalog } from './catalog.ts'
import type { Column, Row } from './columns.ts'
import { CatalogError } from './errors.ts'
import type { LogEntry } from './items.ts'
import type { LoadedBatch } from './load-batch.ts'
import { type PartitionRef, tableKey } from './names.ts'
import { readParquet, writeParquet } from './parquet-rows.ts'
import type { PartInput, StoreInput } from './store-batch.ts'
import { tableNotFound } from './table-schema.ts'

/** Some MB a part: few enough objects to list, small enough to hold, and a reader may take parts in parallel. */
export const PART_ROWS_MAX = 100_000

export interface StoreRowsInput extends Omit<StoreInput, 'parts'> {
  readonly rows: Iterable<Row> | AsyncIterable<Row>
  readonly partRowsMax?: number
}

/** Stores one batch of rows and makes it current. Throws as Catalog.store, and CatalogError `row-invalid`. */
export async function storeRows(
  catalog: Catalog,
  ref: PartitionRef,
  { rows, partRowsMax = PART_ROWS_MAX, ...input }: StoreRowsInput,
): Promise<LogEntry> {
  const columns = await parquetColumns(catalog, ref)
  return catalog.store(ref, { ...input, parts: parquetParts(columns, rows, partRowsMax) })
}

/** Rows of the current batch, or of the given one; each part was verified before its first row comes. */
export async function* loadRows(catalog: Catalog, ref: PartitionRef, batchId?: string): AsyncGenerator<Row> {
  yield* rowsOf(await catalog.load(ref, batchId))
}

/** Throws CatalogError `format-has-no-rows`, `parquet-differs`, `batch-damaged`. */
export async function* rowsOf(batch: LoadedBatch): AsyncGenerator<Row> {
  const { manifest } = batch
  if (manifest.format !== 'parquet') throw notParquet(manifest.table, manifest.format)
  for await (const { name, body, rows: expected } of batch.parts()) {
    const rows = await readParquet(manifest.columns, body)
    if (rows.length !== expected) {
      throw new CatalogError(`${name} has ${rows.length} rows instead of ${expected}`, {
        code: 'batch-damaged',
        batchId: manifest.batchId,
      })
    }
    yield* rows
  }
}

/** Cuts a stream of rows into Parquet files. */
export async function* parquetParts(
  columns: readonly Column[],
  rows: StoreRowsInput['rows'],
  partRowsMax: number,
): AsyncGenerator<PartInput> {
  let held: Row[] = []
  for await (const row of rows) {
    held.push(row)
    if (held.length < partRowsMax) continue
    yield { body: writeParquet(columns, held), rows: held.length }
    held = []
  }
  if (held.length > 0) yield { body: writeParquet(columns, held), rows: held.length }
}

async function parquetColumns(catalog: Catalog, ref: PartitionRef): Promise<readonly Column[]> {
  const schema = await catalog.schema(ref)
  if (schema === undefined) throw tableNotFound(ref)
  if (schema.format !== 'parquet') throw notParquet(tableKey(ref), schema.format)
  return schema.columns
}

function notParquet(table: string, format: string): CatalogError {
  return new CatalogError(`The parts of ${table} are ${format}, which has no rows`, {
    code: 'format-has-no-rows',
    next: 'Load its parts instead.',
    table,
  })
}
