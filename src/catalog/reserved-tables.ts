// The tables that only Millrace itself writes: others read them as what was computed, published or removed, and what writes them checks
// more than a row. Written down once, for every door by which a person writes.
import { CatalogError } from './errors.ts'
import { tableKey, type TableRef } from './names.ts'

/** Of all pipelines; the table is the model, or the pipeline. */
export const RESERVED_DATABASES: readonly string[] = ['models', 'definitions', 'operations', 'removals']

/** In the database of the pipeline, beside tables of the team: snapshots, the compacted stream and imports. */
const RESERVED_TABLES: ReadonlySet<string> = new Set(['users', 'events', 'imported_events'])
/** And its training sets. */
const TRAINING_PREFIX = 'training_'

export function isReservedTable({ db, table }: TableRef, pipeline: string): boolean {
  if (RESERVED_DATABASES.includes(db)) return true
  return db === pipeline && (RESERVED_TABLES.has(table) || table.startsWith(TRAINING_PREFIX))
}

/** Throws CatalogError `table-reserved`. */
export function refuseReservedTable(ref: TableRef, pipeline: string): void {
  if (isReservedTable(ref, pipeline)) throw tableReserved(ref)
}

export function tableReserved(ref: TableRef): CatalogError {
  const table = tableKey(ref)
  return new CatalogError(`The table ${table} is written by Millrace itself`, {
    code: 'table-reserved',
    next: 'Store into a table of your own; models are published by `millrace model publish`.',
    table,
  })
}
