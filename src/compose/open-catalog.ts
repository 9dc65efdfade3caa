// What 'millrace/catalog' exports: the catalogue of a deployed pipeline, for programs that read snapshots, roll back or store tables
// of their own.
import type { Catalog } from '../catalog/catalog.ts'
import { loadRows as loadRowsOf } from '../catalog/table-rows.ts'
import type { PartitionRef } from '../catalog/names.ts'
import type { Row } from '../catalog/columns.ts'
import { type ConnectOptions, connect } from './connect.ts'

export type { Catalog } from '../catalog/catalog.ts'
export type { Row } from '../catalog/columns.ts'
export type { LogEntry } from '../catalog/items.ts'
export type { PartitionRef } from '../catalog/names.ts'

export interface OpenCatalog extends Catalog {
  /** The rows of the current batch of a Parquet table, or of the given one; every part is checked before it is handed out. */
  loadRows(ref: PartitionRef, batchId?: string): AsyncIterable<Row>
  /** Ends the connections. */
  close(): void
}

/** `env`: AWS_ENDPOINT_URL for the local cloud, or AWS_ACCOUNT_ID and credentials. Throws MillraceError `account-unknown`. */
export function openCatalog(options: ConnectOptions): OpenCatalog {
  const { catalog, close } = connect(options)
  return { ...catalog, loadRows: (ref, batchId) => loadRowsOf(catalog, ref, batchId), close: () => close() }
}
