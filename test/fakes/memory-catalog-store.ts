// The catalogue's items in memory. It counts calls, and a hook may throw before or after any of them, as a process that dies
// there would.
import { byCodePoint } from '../../src/platform/canonical-json.ts'
import type { CatalogItem, CatalogStore, ListOptions } from '../../src/catalog/catalog-store.ts'

export interface CatalogStoreCall {
  readonly operation: 'create' | 'createAll' | 'checkTransactions' | 'replace' | 'get' | 'list' | 'tables'
  readonly key: string
  /** `after`: the effect has happened, its answer is lost. */
  readonly when: 'before' | 'after'
}

export interface MemoryCatalogStore extends CatalogStore {
  readonly calls: Record<CatalogStoreCall['operation'], number>
  /** `table` NUL `sk` → item, for tests that damage or inspect it. */
  readonly items: Map<string, CatalogItem>
}

export function memoryCatalogStore(fault?: (call: CatalogStoreCall) => void): MemoryCatalogStore {
  const items = new Map<string, CatalogItem>()
  const calls = { create: 0, createAll: 0, checkTransactions: 0, replace: 0, get: 0, list: 0, tables: 0 }

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
        if (items.has(keyOf(item))) return 'exists'
        items.set(keyOf(item), structuredClone(item))
        return 'created'
      }),
    createAll: created =>
      call('createAll', created.map(item => item.sk).join(' '), () => {
        if (created.some(item => items.has(keyOf(item)))) return 'exists'
        for (const item of created) items.set(keyOf(item), structuredClone(item))
        return 'created'
      }),
    checkTransactions: table => call('checkTransactions', table, () => undefined),
    replace: item =>
      call('replace', item.sk, () => {
        const existing = items.get(keyOf(item))
        const revision = existing?.attributes['revision'] ?? 0
        if (existing === undefined || revision !== item.attributes.revision - 1) return 'changed'
        items.set(keyOf(item), structuredClone(item))
        return 'replaced'
      }),
    get: (table, sk) => call('get', sk, () => structuredClone(items.get(keyOf({ table, sk })))),
    list: (table, prefix, options) => list(table, prefix, options ?? {}),
    tables: () =>
      call('tables', '', () =>
        [...items.values()].flatMap(({ table, sk }) => (sk === 'schema' ? [table] : [])).sort(byCodePoint),
      ),
  }
}

function keyOf({ table, sk }: Pick<CatalogItem, 'table' | 'sk'>): string {
  return `${table}\u0000${sk}`
}
