// A catalogue over fakes, with a clock that ticks at each look and seeded randomness.
import { type Catalog, catalog } from '../../src/catalog/catalog.ts'
import type { CatalogStore } from '../../src/catalog/catalog-store.ts'
import type { TableSchema } from '../../src/catalog/items.ts'
import type { LoadedBatch } from '../../src/catalog/load-batch.ts'
import type { PartInput } from '../../src/catalog/upload-parts.ts'
import type { ObjectStore } from '../../src/platform/object-store.ts'
import { type Random, seededRandom } from '../../src/platform/random.ts'
import { type MemoryCatalogStore, memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { type MemoryObjectStore, memoryObjectStore } from '../fakes/memory-object-store.ts'

export const USERS = { db: 'shop', table: 'users' }
export const DAY = { ...USERS, partition: 'date=2001-06-30' }
export const PLAIN: TableSchema = { columns: [], format: 'ndjson.gz', owner: 'ana' }
export const REASON = { who: 'ana', why: 'nightly' }

export const START_MS = Date.UTC(2001, 5, 30, 18)

export interface CatalogWorld {
  readonly store: MemoryCatalogStore
  readonly objects: MemoryObjectStore
  readonly catalog: Catalog
}

export interface WorldOptions {
  readonly seed?: number
  /** Called before and after every call to either store; throws to make it fail. */
  readonly fault?: () => void
}

export function catalogWorld({ seed = 1, fault }: WorldOptions = {}): CatalogWorld {
  const store = memoryCatalogStore(fault)
  const objects = memoryObjectStore(fault === undefined ? {} : { fault })
  return { store, objects, catalog: catalogOver(store, objects, seededRandom(seed)) }
}

export function catalogOver(store: CatalogStore, objects: ObjectStore, random: Random = seededRandom(2)): Catalog {
  let nowMs = START_MS
  return catalog({ store, objects, clock: () => (nowMs += 1000), random, sleep: async () => undefined })
}

/** Parts that say what they are. */
export function textParts(...texts: readonly string[]): PartInput[] {
  return texts.map(text => ({ body: new TextEncoder().encode(text), rows: 1 }))
}

export async function textOf(batch: LoadedBatch): Promise<string[]> {
  const texts: string[] = []
  for await (const part of batch.parts()) texts.push(new TextDecoder().decode(part.body))
  return texts
}
