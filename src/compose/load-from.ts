// Which batch a program means by a table, a partition of it and a choice, and the batch itself.
import type { Catalog } from '../catalog/catalog.ts'
import { choosePartition, type TablePlace } from '../catalog/choose-partition.ts'
import { CatalogError } from '../catalog/errors.ts'
import type { LoadedBatch } from '../catalog/load-batch.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { parseRfc3339Ms } from '../platform/rfc3339.ts'

/** A table, a partition of it (the last one by name where none is given), and a batch of that (the current one). */
export interface LoadFrom extends TablePlace {
  readonly batchId?: string | undefined
  readonly anchor?: string | undefined
  /** What was current then: a Date, or RFC 3339 text. By the writers' clocks: one of the last moments may still gain a commit. */
  readonly asOf?: Date | string | undefined
}

/** The partition, and the ID of the batch. */
export async function chosenIn(
  catalog: Catalog,
  { batchId, anchor, asOf, ...place }: LoadFrom,
): Promise<{ readonly ref: PartitionRef; readonly batchId: string }> {
  const { ref, entry } = await choosePartition(catalog, place, { batchId, anchor, asOfMs: instantOf('asOf', asOf) })
  return { ref, batchId: entry.batchId }
}

export async function chosenBatch(catalog: Catalog, from: LoadFrom): Promise<LoadedBatch> {
  const { ref, batchId } = await chosenIn(catalog, from)
  return catalog.load(ref, batchId)
}

/** Throws CatalogError `instant-invalid`. */
export function instantOf(name: string, instant: Date | string | undefined): number | undefined {
  if (instant === undefined) return undefined
  const ms = typeof instant === 'string' ? parseRfc3339Ms(instant) : instant.getTime()
  if (ms !== undefined && !Number.isNaN(ms)) return ms
  throw new CatalogError(`${name}, ${JSON.stringify(instant)}, is no instant`, {
    code: 'instant-invalid',
    next: 'Give a Date, or RFC 3339 text with an offset: 2026-06-30T06:00:00Z.',
  })
}
