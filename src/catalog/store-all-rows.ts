// Rows of several partitions of one table in one call, that become visible at one instant.
import type { Catalog } from './catalog.ts'
import type { CurrentPartition } from './commit-log.ts'
import { type TableRef, tableKey } from './names.ts'
import { rowFormat } from './row-formats.ts'
import type { PartitionBatch, StoreAllInput } from './store-all.ts'
import { PART_ROWS_MAX, rowParts, type Rows } from './table-rows.ts'
import { tableNotFound } from './table-schema.ts'

export interface PartitionRows extends Omit<PartitionBatch, 'parts'> {
  /** Pulled when it is this partition's turn: they come one after another, in the order given. */
  readonly rows: Rows
  readonly partRowsMax?: number
}

/** Throws as Catalog.storeAll, and CatalogError `row-invalid`, `format-has-no-rows`. */
export async function storeAllRows(
  catalog: Catalog,
  ref: TableRef,
  batches: readonly PartitionRows[],
  input: StoreAllInput,
): Promise<readonly CurrentPartition[]> {
  const schema = await catalog.schema(ref)
  if (schema === undefined) throw tableNotFound(ref)
  const format = rowFormat(tableKey(ref), schema)
  return catalog.storeAll(
    ref,
    batches.map(({ rows, partRowsMax = PART_ROWS_MAX, ...own }) => ({
      ...own,
      parts: rowParts(schema.columns, rows, { format, partRowsMax }),
    })),
    input,
  )
}
