// Tells of every commit, whoever makes it and by whichever verb: each is the creation of a log entry, and nothing else is.
import type { CatalogItem, CatalogStore } from './catalog-store.ts'
import { LOGS_PREFIX, partitionOfLog } from './layout.ts'
import { type PartitionRef, parseTableName } from './names.ts'

/** `onCommit` is awaited, and must not throw: the commit has happened. */
export function observedCatalogStore(
  store: CatalogStore,
  onCommit: (ref: PartitionRef) => Promise<void>,
): CatalogStore {
  const tell = async (items: readonly CatalogItem[]): Promise<void> => {
    for (const { table, sk } of items) {
      if (sk.startsWith(LOGS_PREFIX)) await onCommit({ ...parseTableName(table), partition: partitionOfLog(sk) })
    }
  }
  return {
    ...store,
    async create(item) {
      const outcome = await store.create(item)
      if (outcome === 'created' || (await isOwn(store, item))) await tell([item])
      return outcome
    },
    async createAll(items) {
      const outcome = await store.createAll(items)
      if (outcome === 'created') await tell(items)
      return outcome
    },
  }
}

/** The entry that is there may be this very write, repeated after a lost answer. */
async function isOwn(store: CatalogStore, { table, sk, attributes }: CatalogItem): Promise<boolean> {
  if (!sk.startsWith(LOGS_PREFIX)) return false
  return (await store.get(table, sk))?.attributes['token'] === attributes['token']
}
