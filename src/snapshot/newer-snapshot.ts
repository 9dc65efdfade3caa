// Whether the partition has a later snapshot already: a run that comes late is not to take its place.
import type { Catalog } from '../catalog/catalog.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'

/** The batch that is current, where it says that its instant is after this one. */
export async function newerThan(catalog: Catalog, ref: PartitionRef, instantMs: number): Promise<string | undefined> {
  if ((await catalog.current(ref)) === undefined) return undefined
  const { manifest } = await catalog.load(ref)
  const instant = manifest.properties?.['instant']
  const currentMs = typeof instant === 'string' ? parseRfc3339Ms(instant) : undefined
  return currentMs !== undefined && currentMs > instantMs ? manifest.batchId : undefined
}
