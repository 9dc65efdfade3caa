// Rows in and out of a table of the catalogue, as a stream: no more than one part of rows is in memory.
import type { Catalog } from './catalog.ts'
import type { BatchChoice } from './choose-batch.ts'
import type { Column, Row } from './columns.ts'
import { CatalogError } from './errors.ts'
import type { LogEntry } from './items.ts'
import type { LoadedBatch, LoadedPart } from './load-batch.ts'
import type { Manifest } from './manifest.ts'
import { type PartitionRef, tableKey } from './names.ts'
import { type RowFormat, rowFormat } from './row-formats.ts'
import { RowStream } from './row-stream.ts'
import { type ColumnValues, InvalidRow } from './row-values.ts'
import type { StoreInput } from './store-batch.ts'
import type { PartInput } from './upload-parts.ts'
import { tableNotFound } from './table-schema.ts'
import { asUnreadablePart } from './unreadable-part.ts'

/** Some MB a part: few enough objects to list, small enough to hold, and a reader may take parts in parallel. */
export const PART_ROWS_MAX = 100_000

export type Rows = Iterable<Row> | AsyncIterable<Row>

export interface StoreRowsInput extends Omit<StoreInput, 'parts'> {
  readonly rows: Rows
  readonly partRowsMax?: number
}

/** Stores one batch of rows and makes it current. Throws as Catalog.store, and CatalogError `row-invalid`. */
export async function storeRows(
  catalog: Catalog,
  ref: PartitionRef,
  { rows, partRowsMax = PART_ROWS_MAX, ...input }: StoreRowsInput,
): Promise<LogEntry> {
  const schema = await catalog.schema(ref)
  if (schema === undefined) throw tableNotFound(ref)
  const format = rowFormat(tableKey(ref), schema)
  return catalog.store(ref, { ...input, parts: rowParts(schema.columns, rows, { format, partRowsMax }) })
}

/** Rows of the current batch, or of the chosen one; each part was verified before its first row comes. */
export function loadRows(
  catalog: Catalog,
  ref: PartitionRef,
  choice?: string | BatchChoice,
): AsyncIterableIterator<Row> {
  return new RowStream(rowsOfChosen(catalog, ref, choice))
}

async function* rowsOfChosen(
  catalog: Catalog,
  ref: PartitionRef,
  choice: string | BatchChoice | undefined,
): AsyncGenerator<readonly Row[]> {
  yield* rowsByPart(await catalog.load(ref, choice))
}

/**
 * With the columns that are asked for, all unless given. Throws CatalogError `format-has-no-rows`, `column-not-found`, `parquet-differs`,
 * `part-differs`, `batch-damaged`.
 */
export function rowsOf(batch: LoadedBatch, columns?: readonly Column[]): AsyncIterableIterator<Row> {
  return new RowStream(rowsByPart(batch, columns))
}

export async function* rowsByPart(
  batch: LoadedBatch,
  columns: readonly Column[] = batch.manifest.columns,
): AsyncGenerator<readonly Row[]> {
  const { manifest } = batch
  const format = rowFormat(manifest.table, manifest)
  for await (const part of batch.parts()) {
    let count = 0
    try {
      for await (const rows of format.read(columns, part.body)) {
        count += rows.length
        yield rows
      }
    } catch (error) {
      throw asUnreadablePart(error, { ...manifest, name: part.name })
    }
    refuseOtherCount(manifest, part, count)
  }
}

/** Of one part of the batch. */
export async function rowsOfPart(
  { manifest }: LoadedBatch,
  { body, name }: LoadedPart,
  columns: readonly Column[],
): Promise<readonly Row[]> {
  const all: Row[] = []
  try {
    for await (const rows of rowFormat(manifest.table, manifest).read(columns, body))
      for (const row of rows) all.push(row)
    return all
  } catch (error) {
    throw asUnreadablePart(error, { ...manifest, name })
  }
}

/** Columns of one part, each in the order of its rows. */
export interface ColumnPart {
  /** File name of the part. */
  readonly name: string
  readonly rows: number
  readonly columns: Readonly<Record<string, ColumnValues>>
}

export interface LoadColumnsOptions {
  /** All of the batch unless given. */
  readonly columns?: readonly string[] | undefined
  readonly choice?: string | BatchChoice | undefined
}

/**
 * Columns of the current batch, or of the chosen one, part by part. Only those that are asked for are decoded (of text, all are). A
 * value is what it is in a row, whatever others of its column are. Throws as loadRows, and CatalogError `column-not-found`.
 */
export async function* loadColumns(
  catalog: Catalog,
  ref: PartitionRef,
  { columns: names, choice }: LoadColumnsOptions = {},
): AsyncGenerator<ColumnPart> {
  const batch = await catalog.load(ref, choice)
  yield* columnsOf(batch, names)
}

export async function* columnsOf(batch: LoadedBatch, names?: readonly string[]): AsyncGenerator<ColumnPart> {
  const { manifest } = batch
  const format = rowFormat(manifest.table, manifest)
  const wanted = names === undefined ? manifest.columns : wantedColumns(manifest, names)
  for await (const part of batch.parts()) {
    const { rows, data } = await format.readColumns(wanted, part.body).catch((error: unknown) => {
      throw asUnreadablePart(error, { ...manifest, name: part.name })
    })
    refuseOtherCount(manifest, part, rows)
    const columns = Object.fromEntries(wanted.map(({ name }, index) => [name, data[index] ?? []]))
    yield { name: part.name, rows, columns }
  }
}

/** In the order in which they are asked for. Throws CatalogError `column-not-found`. */
export function wantedColumns({ table, batchId, columns }: Manifest, names: readonly string[]): readonly Column[] {
  return names.map(name => {
    const column = columns.find(each => each.name === name)
    if (column !== undefined) return column
    throw new CatalogError(`The batch ${batchId} of ${table} has no column "${name}"`, {
      code: 'column-not-found',
      next: `It has ${columns.map(each => each.name).join(', ')}.`,
      table,
      batchId,
    })
  })
}

function refuseOtherCount({ batchId }: Manifest, { name, rows: expected }: LoadedPart, rows: number): void {
  if (rows === expected) return
  throw new CatalogError(`${name} has ${rows} rows instead of ${expected}`, { code: 'batch-damaged', batchId })
}

interface Cut {
  readonly format: RowFormat
  readonly partRowsMax: number
}

/** Cuts a stream of rows into files. */
export async function* rowParts(
  columns: readonly Column[],
  rows: Rows,
  { format, partRowsMax }: Cut,
): AsyncGenerator<PartInput> {
  let before = 0
  for await (const held of inBatches(rows, partRowsMax)) {
    yield { body: written(columns, held, { format, before }), rows: held.length }
    before += held.length
  }
}

/** A row that is refused is called by its place among all of them. */
function written(
  columns: readonly Column[],
  rows: readonly Row[],
  { format, before }: { readonly format: RowFormat; readonly before: number },
): Uint8Array {
  try {
    return format.write(columns, rows)
  } catch (error) {
    throw error instanceof InvalidRow ? new InvalidRow(before + error.row, error.what) : error
  }
}

/** What is there already is not awaited row by row. */
async function* inBatches(rows: Rows, size: number): AsyncGenerator<readonly Row[]> {
  if (isList(rows)) {
    for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size)
    return
  }
  let held: Row[] = []
  if (Symbol.asyncIterator in rows) {
    for await (const row of rows) {
      held.push(row)
      if (held.length < size) continue
      yield held
      held = []
    }
  } else {
    for (const row of rows) {
      held.push(row)
      if (held.length < size) continue
      yield held
      held = []
    }
  }
  if (held.length > 0) yield held
}

function isList(rows: Rows): rows is readonly Row[] {
  return Array.isArray(rows)
}
