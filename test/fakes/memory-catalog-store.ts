// The catalogue's items in memory. It counts calls, and a hook may throw before or after any of them, as a process that dies
// there would.
import { byCodePoint } from '../../src/platform/canonical-json.ts'
import type { CatalogItem, CatalogStore, ListOptions } from '../../src/catalog/catalog-store.ts'

export interface CatalogStoreCall {
  readonly operation: 'create' | 'get' | 'list'
  readonly key: string
  /** `after`: the effect has happened, its answer is lost. */
  readonly when: 'before' | 'after'
}

export interface MemoryCatalogStore extends CatalogStore {
  readonly calls: { create: number; get: number; list: number }
  /** `table` NUL `sk` → item, for tests that damage or inspect it. */
  readonly items: Map<string, CatalogItem>
}

export function memoryCatalogStore(fault?: (call: CatalogStoreCall) => void): MemoryCatalogStore {
  const items = new Map<string, CatalogItem>()
  const calls = { create: 0, get: 0, list: 0 }

  async function call<T>(operation: CatalogStoreCall['operation'], key: string, effect: () => T): Promise<T> {
    calls[operation]++
    await Promise.resolve()
    fault?.({ operation, key, when: 'before' })
    const result = effect()
    fault?.({ operation, key, when: 'after' })
    return result
  }

  async function* list(
    table: string,
    prefix: string,
    { isNewestFirst, limit }: ListOptions,
  ): AsyncGenerator<CatalogItem> {
    yield* await call('list', prefix, () => {
      const found = [...items.values()]
        .filter(item => item.table === table && item.sk.startsWith(prefix))
        .sort((a, b) => byCodePoint(a.sk, b.sk))
      return (isNewestFirst ? found.reverse() : found).slice(0, limit)
    })
  }

  return {
    calls,
    items,
    create: item =>
      call('create', item.sk, () => {
        const key = `${item.table}\u0000${item.sk}`
        if (items.has(key)) return 'exists'
        items.set(key, structuredClone(item))
        return 'created'
      }),
    get: (table, sk) => call('get', sk, () => structuredClone(items.get(`${table}\u0000${sk}`))),
    list: (table, prefix, options) => list(table, prefix, options ?? {}),
  }
}
