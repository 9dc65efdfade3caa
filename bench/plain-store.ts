// The least a user store can cost: a map of stored items, and where asked a fixed wait for each call.
import type { StoredItem, UserStore } from '../src/store/user-item.ts'

export interface PlainStore extends UserStore {
  items: Map<string, StoredItem>
  readonly calls: { reads: number; writes: number }
}

export function plainStore(items: ReadonlyMap<string, StoredItem>, callMs = 0): PlainStore {
  const calls = { reads: 0, writes: 0 }
  const wait = (): Promise<void> =>
    callMs === 0 ? Promise.resolve() : new Promise(resolve => setTimeout(resolve, callMs))
  const store: PlainStore = {
    items: new Map(items),
    calls,
    async loadMany(userIds) {
      calls.reads++
      await wait()
      return new Map(userIds.flatMap(id => store.items.get(id) ?? []).map(item => [item.userId, item]))
    },
    async load(userId) {
      calls.reads++
      await wait()
      return store.items.get(userId)
    },
    async put(item, expectedVersion) {
      calls.writes++
      await wait()
      const current = store.items.get(item.userId)
      if (current?.v !== expectedVersion) return { outcome: 'conflict', current }
      store.items.set(item.userId, item)
      return { outcome: 'written' }
    },
    async *scan() {
      yield [...store.items.values()]
    },
  }
  return store
}
