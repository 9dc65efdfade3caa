// The manifest of a batch, committed or not, held against the hash that its item names.
import type { BatchRecord } from '../catalog/items.ts'
import { decodeManifest, type Manifest } from '../catalog/manifest.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { Pass } from './ports.ts'

/** Undefined where it is gone or another one. Throws ObjectStoreError, CatalogError. */
export async function findManifest(
  { ports }: Pass,
  { manifestKey, manifestSha256 }: BatchRecord,
): Promise<Manifest | undefined> {
  const bytes = await ports.catalogStores.objects.get(manifestKey)
  if (bytes === undefined || sha256Hex(bytes) !== manifestSha256) return undefined
  return decodeManifest(bytes, manifestKey)
}
