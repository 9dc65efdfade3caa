// The snapshot that is current in a partition, where it can be read: one that is damaged, purged or in cold storage is none to compare
// with, and keeps nobody from taking another.
import type { Catalog } from '../catalog/catalog.ts'
import { CatalogError } from '../catalog/errors.ts'
import type { LoadedBatch } from '../catalog/load-batch.ts'
import type { PartitionRef } from '../catalog/names.ts'

const UNREADABLE: ReadonlySet<string> = new Set([
  'batch-cold',
  'batch-damaged',
  'batch-not-found',
  'batch-purged',
  'manifest-invalid',
])

/** Undefined where there is none, too. Throws CatalogError, ObjectStoreError. */
export async function readableSnapshot(
  catalog: Pick<Catalog, 'current' | 'load'>,
  ref: PartitionRef,
): Promise<LoadedBatch | undefined> {
  if ((await catalog.current(ref)) === undefined) return undefined
  try {
    return await catalog.load(ref)
  } catch (error) {
    if (error instanceof CatalogError && UNREADABLE.has(error.code)) return undefined
    throw error
  }
}
