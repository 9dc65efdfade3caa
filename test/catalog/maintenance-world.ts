// A catalogue over fakes whose objects have the age that the clock says, with what removes them; and a store that lets something happen
// right before any one of its calls.
import { catalog, type Catalog } from '../../src/catalog/catalog.ts'
import type { CatalogStore } from '../../src/catalog/catalog-store.ts'
import type { PurgePorts } from '../../src/catalog/purge-batches.ts'
import type { ObjectInfo } from '../../src/platform/object-store.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { type MemoryCatalogStore, memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { type MemoryObjectStore, memoryObjectStore } from '../fakes/memory-object-store.ts'
import { DAY, PLAIN, REASON, START_MS, textOf, textParts, USERS } from './factories.ts'

export const NEXT = { ...USERS, partition: 'date=2001-07-01' }

export interface MaintenanceWorld extends PurgePorts {
  readonly store: MemoryCatalogStore
  readonly objects: MemoryObjectStore
  readonly catalog: Catalog
  /** What was written down as removed, one list a receipt. */
  readonly receipts: ObjectInfo[][]
  pass(ms: number): void
  /** The batch ID of a new batch of one part for each text. */
  add(partition: string, ...texts: readonly string[]): Promise<string>
}

export function maintenanceWorld(fault: () => void = () => undefined): MaintenanceWorld {
  let nowMs = START_MS
  const clock = () => (nowMs += 1000)
  const store = memoryCatalogStore(fault)
  const objects = memoryObjectStore({ fault, clock })
  const own = catalog({ store, objects, clock, random: seededRandom(1), sleep: async () => undefined })
  const receipts: ObjectInfo[][] = []
  return {
    store,
    objects,
    clock,
    catalog: own,
    receipts,
    remover: {
      remove: async key => {
        fault()
        objects.objects.delete(key)
        fault()
      },
    },
    writeReceipt: async removed => {
      fault()
      receipts.push([...removed])
      fault()
    },
    pass: ms => {
      nowMs += ms
    },
    add: async (partition, ...texts) =>
      (await own.store({ ...USERS, partition }, { parts: textParts(...texts), ...REASON })).batchId,
  }
}

export async function newMaintenanceWorld(fault?: () => void): Promise<MaintenanceWorld> {
  const world = maintenanceWorld(fault)
  await world.catalog.createTable(USERS, PLAIN)
  return world
}

/** Throws `killed` at the call of this number, and at every one after it. */
export function killing(): { readonly fault: () => void; at: (call: number) => void; never: () => void } {
  let left = Number.POSITIVE_INFINITY
  return {
    fault: () => {
      if (left-- <= 0) throw new Error('killed')
    },
    at: call => {
      left = call
    },
    never: () => {
      left = Number.POSITIVE_INFINITY
    },
  }
}

/** The same store, but `happen` comes first at its call of the number, if there are so many. */
export function interrupted(
  store: CatalogStore,
  { at, happen }: { readonly at: number; readonly happen: () => Promise<unknown> },
): { readonly store: CatalogStore; readonly hasHappened: () => boolean } {
  let calls = 0
  const before = async (): Promise<void> => {
    if (calls++ === at) await happen()
  }
  return {
    hasHappened: () => calls > at,
    store: {
      create: async item => (await before(), store.create(item)),
      createAll: async items => (await before(), store.createAll(items)),
      checkTransactions: async table => (await before(), store.checkTransactions(table)),
      replace: async item => (await before(), store.replace(item)),
      get: async (table, sk) => (await before(), store.get(table, sk)),
      async *list(table, prefix, options) {
        await before()
        yield* store.list(table, prefix, options)
      },
      tables: async () => (await before(), store.tables()),
    },
  }
}

/** The batch IDs of so many batches of DAY, of two parts each. */
export async function overwrites(of: MaintenanceWorld, count: number): Promise<string[]> {
  const made: string[] = []
  for (let index = 0; index < count; index++) made.push(await of.add(DAY.partition, `${index}`, `${index} again`))
  return made
}

/** Text of each batch, or the code of what reading it throws. */
export async function readAll(of: MaintenanceWorld, batchIds: readonly string[], ref = DAY): Promise<string[]> {
  return Promise.all(
    batchIds.map(async batchId => {
      try {
        return (await textOf(await of.catalog.load(ref, batchId))).join(',')
      } catch (error) {
        return String((error as { code?: unknown }).code)
      }
    }),
  )
}
