// What every store of catalogue items promises, run on the fake and on DynamoDB's emulator alike.
import type { CatalogError } from '../../src/catalog/errors.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CatalogItem, CatalogStore, ListOptions } from '../../src/catalog/catalog-store.ts'

export interface CatalogStoreUnderTest {
  readonly store: CatalogStore
  readonly stop: () => Promise<void>
  /** dynalite has none. */
  readonly hasTransactions?: boolean
}

export function catalogStoreContract(name: string, start: () => Promise<CatalogStoreUnderTest>): void {
  describe(`${name} as a store of catalogue items`, () => {
    let underTest: CatalogStoreUnderTest
    let store: CatalogStore
    let hasTransactions = true
    beforeAll(async () => {
      underTest = await start()
      store = underTest.store
      hasTransactions = underTest.hasTransactions ?? true
    })
    afterAll(() => underTest.stop())

    test('gives back what it was given, of every JSON type', async () => {
      const attributes = {
        text: 'ü ☃',
        empty: '',
        integer: 9_007_199_254_740_991,
        fraction: -0.125,
        yes: true,
        nothing: null,
        list: ['a', 1, { deep: [] }],
        map: { empty: {}, nested: { x: 1 } },
      }
      const item = { table: 'shop.types', sk: 'schema', attributes }
      expect(await store.create(item)).toBe('created')
      expect(await store.get('shop.types', 'schema')).toEqual(item)
    })

    test('says undefined for what is not there', async () => {
      expect(await store.get('shop.types', 'never')).toBeUndefined()
      expect(await store.get('shop.never', 'schema')).toBeUndefined()
      expect(await collect(store, 'shop.never', '')).toEqual([])
    })

    test('leaves an item as it is when its keys are created again', async () => {
      const item = { table: 'shop.once', sk: 'schema', attributes: { who: 'first' } }
      expect(await store.create(item)).toBe('created')
      expect(await store.create({ ...item, attributes: { who: 'second' } })).toBe('exists')
      expect((await store.get('shop.once', 'schema'))?.attributes).toEqual({ who: 'first' })
    })

    test('lets one of many racing creators win', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, (_, racer) =>
          store.create({ table: 'shop.race', sk: 'log#p#000000001', attributes: { racer } }),
        ),
      )
      expect(outcomes.filter(outcome => outcome === 'created')).toHaveLength(1)
      const winner = outcomes.indexOf('created')
      expect((await store.get('shop.race', 'log#p#000000001'))?.attributes).toEqual({ racer: winner })
    })

    test('creates all of several items, or none where a key is taken', async () => {
      const item = (sk: string, n: number): CatalogItem => ({ table: 'shop.all', sk, attributes: { n } })
      const together = [item('log#a#000000001', 1), item('log#b#000000001', 1)]
      if (!hasTransactions) {
        await expect(store.createAll(together)).rejects.toMatchObject({ code: 'transactions-unavailable' })
        expect(await collect(store, 'shop.all', '')).toEqual([])
        return
      }
      expect(await store.createAll(together)).toBe('created')
      expect(await store.createAll([item('log#c#000000001', 2), item('log#a#000000001', 2)])).toBe('exists')
      expect(await collect(store, 'shop.all', '')).toEqual(['log#a#000000001', 'log#b#000000001'])
      expect((await store.get('shop.all', 'log#a#000000001'))?.attributes).toEqual({ n: 1 })
    })

    test('says whether it can, with nothing written', async () => {
      const checked = await store.checkTransactions('shop.checked').then(
        () => true,
        (error: CatalogError) => error.code,
      )
      expect(checked).toBe(hasTransactions ? true : 'transactions-unavailable')
      expect(await collect(store, 'shop.checked', '')).toEqual([])
    })

    test('lets one of many racing creators of several win, whose items are all there', async () => {
      if (!hasTransactions) {
        await expect(store.createAll([])).rejects.toMatchObject({ code: expect.any(String) })
        return
      }
      const item = (sk: string, racer: number): CatalogItem => ({ table: 'shop.allrace', sk, attributes: { racer } })
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, racer) =>
          store.createAll([item(`log#p${racer % 3}#000000001`, racer), item('log#q#000000001', racer)]),
        ),
      )
      expect(outcomes.filter(outcome => outcome === 'created')).toHaveLength(1)
      const racer = outcomes.indexOf('created')
      const keys = await collect(store, 'shop.allrace', '')
      expect(keys).toEqual([`log#p${racer % 3}#000000001`, 'log#q#000000001'])
      for (const sk of keys) expect((await store.get('shop.allrace', sk))?.attributes).toEqual({ racer })
    })

    test('replaces an item of the revision before, and no other', async () => {
      const item = (revision: number) => ({
        table: 'shop.revision',
        sk: 'batch#p#1',
        attributes: { n: revision, revision },
      })
      expect(await store.replace(item(1))).toBe('changed')
      expect(await store.get('shop.revision', 'batch#p#1')).toBeUndefined()
      await store.create({ table: 'shop.revision', sk: 'batch#p#1', attributes: { n: 0 } })
      expect(await store.replace(item(2))).toBe('changed')
      expect(await store.replace(item(1))).toBe('replaced')
      expect(await store.replace(item(1))).toBe('changed')
      expect(await store.replace(item(2))).toBe('replaced')
      expect(await store.get('shop.revision', 'batch#p#1')).toEqual(item(2))
    })

    test('lets one of many racing replacers win each revision', async () => {
      await store.create({ table: 'shop.replacers', sk: 'batch#p#1', attributes: {} })
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, racer) =>
          store.replace({ table: 'shop.replacers', sk: 'batch#p#1', attributes: { racer, revision: 1 } }),
        ),
      )
      expect(outcomes.filter(outcome => outcome === 'replaced')).toHaveLength(1)
      const attributes = { racer: outcomes.indexOf('replaced'), revision: 1 }
      expect((await store.get('shop.replacers', 'batch#p#1'))?.attributes).toEqual(attributes)
    })

    test('lists one table and one prefix, from either end, as many as asked for', async () => {
      const keys = ['batch#p#1', 'log#p#000000001', 'log#p#000000002', 'log#p#000000010', 'log#pq#000000003']
      for (const sk of keys.toReversed()) await store.create({ table: 'shop.list', sk, attributes: {} })
      await store.create({ table: 'shop.list2', sk: 'log#p#000000099', attributes: {} })
      expect(await collect(store, 'shop.list', 'log#p#')).toEqual(keys.slice(1, 4))
      expect(await collect(store, 'shop.list', '')).toEqual(keys)
      expect(await collect(store, 'shop.list', 'log#p#', { isNewestFirst: true, limit: 1 })).toEqual([keys[3]])
      expect(await collect(store, 'shop.list', 'log#p#', { isNewestFirst: true, limit: 2 })).toEqual([keys[3], keys[2]])
    })

    test('knows every table that has a schema, each once', async () => {
      for (const table of ['zoo.b', 'zoo.a']) {
        await store.create({ table, sk: 'schema', attributes: {} })
        await store.create({ table, sk: 'schema#000000002', attributes: {} })
      }
      await store.create({ table: 'zoo.c', sk: 'log#p#000000001', attributes: {} })
      const found = await store.tables()
      expect(found.filter(table => table.startsWith('zoo.'))).toEqual(['zoo.a', 'zoo.b'])
      expect(found).toEqual(found.toSorted())
    })

    test('lists more than one page holds', async () => {
      // DynamoDB ends a page at 1 MB: 12 items of 100 KB are two pages.
      const filling = 'x'.repeat(100_000)
      const keys = Array.from({ length: 12 }, (_, index) => `log#p#${String(index + 1).padStart(9, '0')}`)
      await Promise.all(keys.map(sk => store.create({ table: 'shop.pages', sk, attributes: { filling } })))
      expect(await collect(store, 'shop.pages', 'log#p#')).toEqual(keys)
    })
  })
}

async function collect(store: CatalogStore, table: string, prefix: string, options?: ListOptions): Promise<string[]> {
  const items: CatalogItem[] = []
  for await (const item of store.list(table, prefix, options)) items.push(item)
  expect(items.every(item => item.table === table)).toBe(true)
  return items.map(item => item.sk)
}
