// Every call of a writer to either store has two boundaries, before it and after it: at each of them the writer can be looked at, and can
// die. A writer that died makes no call any more.
import type { CatalogStore } from '../../src/catalog/catalog-store.ts'
import type { ObjectStore } from '../../src/platform/object-store.ts'

export interface Stores {
  readonly store: CatalogStore
  readonly objects: ObjectStore
}

/** The same stores for one writer; `step` is awaited at each boundary, with the call's name, and throws to make the writer die there. */
export function steppedStores({ store, objects }: Stores, step: (boundary: string) => Promise<void>): Stores {
  const call = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    await step(`before ${name}`)
    const result = await work()
    await step(`after ${name}`)
    return result
  }
  async function* page<T>(name: string, list: () => AsyncIterable<T>): AsyncGenerator<T> {
    yield* await call(name, async () => {
      const found: T[] = []
      for await (const one of list()) found.push(one)
      return found
    })
  }
  return {
    store: {
      create: item => call(`create ${item.sk}`, () => store.create(item)),
      createAll: items => call(`createAll ${items.map(({ sk }) => sk).join()}`, () => store.createAll(items)),
      checkTransactions: table => call('checkTransactions', () => store.checkTransactions(table)),
      replace: item => call(`replace ${item.sk}`, () => store.replace(item)),
      get: (table, sk) => call(`get ${sk}`, () => store.get(table, sk)),
      list: (table, prefix, options) => page(`list ${prefix}`, () => store.list(table, prefix, options)),
      tables: () => call('tables', () => store.tables()),
    },
    objects: {
      create: (key, body, options) => call(`create ${key}`, () => objects.create(key, body, options)),
      stat: key => call(`stat ${key}`, () => objects.stat(key)),
      get: key => call(`get ${key}`, () => objects.get(key)),
      list: (prefix, options) => page(`list ${prefix}`, () => objects.list(prefix, options)),
    },
  }
}

/** Dies at the boundary of the number and stays dead; `look` is awaited at each one that it reaches alive. */
export function mortalStep(deathAt: number, look: () => Promise<void> = async () => undefined) {
  const boundaries: string[] = []
  return {
    /** Those it reached. */
    boundaries,
    step: async (boundary: string): Promise<void> => {
      if (boundaries.length > deathAt) throw new Error('killed')
      boundaries.push(boundary)
      await look()
      if (boundaries.length > deathAt) throw new Error('killed')
    },
  }
}
