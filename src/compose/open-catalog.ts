// What 'millrace/catalog' exports: the catalogue of a deployed pipeline, for programs that read snapshots, roll back or store tables
// of their own.
import type { Catalog } from '../catalog/catalog.ts'
import type { BatchChoice } from '../catalog/choose-batch.ts'
import { namedPartition, type TablePlace } from '../catalog/choose-partition.ts'
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
import { type CatalogUpkeep, catalogUpkeep } from './catalog-upkeep.ts'
import { type ConnectOptions, connect } from './connect.ts'
import { chosenBatch, type LoadFrom } from './load-from.ts'

export type { AuditEntry } from '../catalog/audit.ts'
export type { Catalog } from '../catalog/catalog.ts'
export type { Column, ColumnType, Row } from '../catalog/columns.ts'
export type { LogEntry, TableSchema } from '../catalog/items.ts'
export type { PartitionRef, TableRef } from '../catalog/names.ts'
export type { Orphan, SweepReport } from '../catalog/sweep.ts'
export type { Difference, VerifiedBatch } from '../catalog/verify-batch.ts'
export type { AuditRange, CatalogUpkeep, SweepInput, Swept } from './catalog-upkeep.ts'
export type { DiffedBatch, TableDiff } from './compare-batches.ts'
export type { LoadFrom } from './load-from.ts'

export type StoreTo = TablePlace & Omit<StoreRowsInput, 'rows'>

/** Of one part: each column in the order of its rows. */
export interface LoadedColumns<R> {
  readonly rows: number
  readonly columns: { readonly [Name in keyof R]: readonly R[Name][] }
}

export interface OpenCatalog extends Omit<Catalog, 'load' | 'store' | 'storeAll'>, CatalogUpkeep {
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
  const connection = connect({ ...options, stage, env })
  const upkeep = catalogUpkeep(connection, { pipeline: options.pipeline, stage })
  return { ...openedCatalog(connection.catalog), ...upkeep, close: () => connection.close() }
}

export function openedCatalog(catalog: Catalog): Omit<OpenCatalog, 'close' | keyof CatalogUpkeep> {
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

function partitionMissing(ref: { readonly db: string; readonly table: string }): CatalogError {
  return new CatalogError('Which partition is to be stored is not said', {
    code: 'partition-invalid',
    next: "Give its values: partitions: ['2016'].",
    table: tableKey(ref),
  })
}
