// What 'millrace/catalog' exports: the catalogue of a deployed pipeline, for programs that read snapshots, roll back or store tables
// of their own.
import type { Catalog } from '../catalog/catalog.ts'
import type { BatchChoice } from '../catalog/choose-batch.ts'
import { choosePartition, namedPartition, type TablePlace } from '../catalog/choose-partition.ts'
import type { Row } from '../catalog/columns.ts'
import type { CurrentPartition } from '../catalog/commit-log.ts'
import { CatalogError } from '../catalog/errors.ts'
import type { LogEntry } from '../catalog/items.ts'
import { type PartitionRef, tableKey, type TableRef } from '../catalog/names.ts'
import { RowStream } from '../catalog/row-stream.ts'
import type { StoreAllInput } from '../catalog/store-all.ts'
import { type PartitionRows, storeAllRows } from '../catalog/store-all-rows.ts'
import {
  columnsOf,
  loadRows,
  rowsByPart,
  type Rows,
  rowsOf,
  storeRows,
  type StoreRowsInput,
} from '../catalog/table-rows.ts'
import { valuesChecksum } from '../catalog/values-checksum.ts'
import { parseRfc3339Ms } from '../platform/rfc3339.ts'
import { type ConnectOptions, connect } from './connect.ts'

export type { Catalog } from '../catalog/catalog.ts'
export type { Column, ColumnType, Row } from '../catalog/columns.ts'
export type { LogEntry, TableSchema } from '../catalog/items.ts'
export type { PartitionRef, TableRef } from '../catalog/names.ts'

/** A table, a partition of it (the last one by name where none is given), and a batch of that (the current one). */
export interface LoadFrom extends TablePlace {
  readonly batchId?: string | undefined
  readonly anchor?: string | undefined
  /** What was current then: a Date, or RFC 3339 text. */
  readonly asOf?: Date | string | undefined
}

export type StoreTo = TablePlace & Omit<StoreRowsInput, 'rows'>

/** Of one part: each column in the order of its rows. */
export interface LoadedColumns<R> {
  readonly rows: number
  readonly columns: { readonly [Name in keyof R]: readonly R[Name][] }
}

export interface OpenCatalog extends Omit<Catalog, 'load' | 'store' | 'storeAll'> {
  /** Rows one by one; each part was checked against its SHA-256 before its first row comes. `R` is what the caller knows of them. */
  load<R extends object = Row>(from: LoadFrom): AsyncIterableIterator<R>
  /** The same by column and part: only the columns that are asked for are decoded, all unless given. */
  loadColumns<R extends object = Row>(
    from: LoadFrom & { readonly columns?: readonly (keyof R & string)[] },
  ): AsyncIterable<LoadedColumns<R>>
  /** Rows into a new batch, which is current once all of it is there. */
  store(rows: Rows, to: StoreTo): Promise<LogEntry>
  /** Rows of several partitions of one table, which become current at one instant; throws before anything is written where that cannot be. */
  storeAll(ref: TableRef, batches: readonly PartitionRows[], input: StoreAllInput): Promise<readonly CurrentPartition[]>
  /** SHA-256 of the values of a batch, which Python and R compute alike: see docs/catalog.md. */
  checksum(from: LoadFrom): Promise<string>
  loadRows(ref: PartitionRef, choice?: string | BatchChoice): AsyncIterable<Row>
  /** Batches as files. */
  readonly batches: Catalog
  /** Ends the connections. */
  close(): void
}

export type OpenOptions = Omit<ConnectOptions, 'stage' | 'env'> & Partial<Pick<ConnectOptions, 'stage' | 'env'>>

/**
 * `env`, the process's own unless given: AWS_ENDPOINT_URL for the local cloud, or AWS_ACCOUNT_ID and credentials. `stage` is `dev` unless
 * given. Throws MillraceError `account-unknown`.
 */
export function openCatalog({ stage = 'dev', env = process.env, ...options }: OpenOptions): OpenCatalog {
  const { catalog, close } = connect({ ...options, stage, env })
  return { ...openedCatalog(catalog), close: () => close() }
}

export function openedCatalog(catalog: Catalog): Omit<OpenCatalog, 'close'> {
  return {
    ...catalog,
    batches: catalog,
    loadRows: (ref, choice) => loadRows(catalog, ref, choice),
    load: <R extends object>(from: LoadFrom) =>
      new RowStream(load(catalog, from)) as unknown as AsyncIterableIterator<R>,
    loadColumns: <R extends object>(from: LoadFrom & { readonly columns?: readonly string[] }) =>
      loadColumns(catalog, from) as AsyncIterable<LoadedColumns<R>>,
    async checksum(from) {
      const batch = await chosenBatch(catalog, from)
      return valuesChecksum(batch.manifest.columns, rowsOf(batch))
    },
    storeAll: (ref, batches, input) => storeAllRows(catalog, ref, batches, input),
    async store(rows, { db, table, partitions, partition, ...input }) {
      const ref = await namedPartition(catalog, { db, table, partitions, partition })
      if (ref === undefined) throw partitionMissing({ db, table })
      return storeRows(catalog, ref, { ...input, rows })
    },
  }
}

async function* load(catalog: Catalog, from: LoadFrom): AsyncGenerator<readonly Row[]> {
  yield* rowsByPart(await chosenBatch(catalog, from))
}

async function* loadColumns(
  catalog: Catalog,
  { columns, ...from }: LoadFrom & { readonly columns?: readonly string[] },
): AsyncGenerator<LoadedColumns<Row>> {
  for await (const part of columnsOf(await chosenBatch(catalog, from), columns)) {
    yield { rows: part.rows, columns: part.columns }
  }
}

async function chosenBatch(catalog: Catalog, { batchId, anchor, asOf, ...place }: LoadFrom) {
  const { ref, entry } = await choosePartition(catalog, place, { batchId, anchor, asOfMs: instantOf(asOf) })
  return catalog.load(ref, entry.batchId)
}

function instantOf(asOf: Date | string | undefined): number | undefined {
  if (asOf === undefined) return undefined
  const ms = typeof asOf === 'string' ? parseRfc3339Ms(asOf) : asOf.getTime()
  if (ms !== undefined && !Number.isNaN(ms)) return ms
  throw new CatalogError(`${JSON.stringify(asOf)} is no instant`, {
    code: 'instant-invalid',
    next: 'Give a Date, or RFC 3339 text with an offset: 2026-06-30T06:00:00Z.',
  })
}

function partitionMissing(ref: { readonly db: string; readonly table: string }): CatalogError {
  return new CatalogError('Which partition is to be stored is not said', {
    code: 'partition-invalid',
    next: "Give its values: partitions: ['2016'].",
    table: tableKey(ref),
  })
}
