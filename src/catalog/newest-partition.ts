// The partition that a reader means who names none: of a table by day, the last day that has a batch.
import type { Catalog } from './catalog.ts'
import { CatalogError } from './errors.ts'
import { type PartitionRef, type TableRef, tableKey } from './names.ts'

/** The last by name, as names that begin with a date sort by it. Throws CatalogError `partition-empty`, `table-not-found`. */
export async function existingPartition(catalog: Pick<Catalog, 'partitions'>, ref: TableRef): Promise<PartitionRef> {
  const newest = (await catalog.partitions(ref)).at(-1)
  if (newest !== undefined) return { ...ref, partition: newest.partition }
  throw new CatalogError(`Nothing was ever committed to ${tableKey(ref)}`, {
    code: 'partition-empty',
    next: 'Check the name; the first store makes a table.',
    table: tableKey(ref),
  })
}
