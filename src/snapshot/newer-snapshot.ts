// Whether the partition has a later snapshot already: a run that comes late is not to take its place.
import type { Catalog } from '../catalog/catalog.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import { readableSnapshot } from './readable-snapshot.ts'

/** The batch that is current, where it says that its instant is after this one. */
export async function newerThan(catalog: Catalog, ref: PartitionRef, instantMs: number): Promise<string | undefined> {
  const batch = await readableSnapshot(catalog, ref)
  if (batch === undefined) return undefined
  const { manifest } = batch
  const instant = manifest.properties?.['instant']
  const currentMs = typeof instant === 'string' ? parseRfc3339Ms(instant) : undefined
  return currentMs !== undefined && currentMs > instantMs ? manifest.batchId : undefined
}
