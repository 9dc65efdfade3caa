// Several partitions that become current together, or not at all.
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Catalog, catalog } from '../../src/catalog/catalog.ts'
import type { CatalogStore } from '../../src/catalog/catalog-store.ts'
import type { CurrentPartition } from '../../src/catalog/commit-log.ts'
import { CatalogError } from '../../src/catalog/errors.ts'
import { storeAllRows } from '../../src/catalog/store-all-rows.ts'
import { loadRows } from '../../src/catalog/table-rows.ts'
import { seededRandom } from '../../src/platform/random.ts'
import {
  type CatalogWorld,
  catalogOver,
  catalogWorld,
  DAY,
  PLAIN,
  REASON,
  START_MS,
  textOf,
  textParts,
  USERS,
} from './factories.ts'
import { mortalStep, steppedStores } from './steps.ts'

let world: CatalogWorld
beforeEach(async () => {
  world = catalogWorld()
  await world.catalog.createTable(USERS, PLAIN)
})

const PARTITIONS = ['p=a', 'p=b', 'p=c']
const batchesOf = (text: string, partitions = PARTITIONS) =>
  partitions.map(partition => ({ partition, parts: textParts(`${text} ${partition}`, 'more') }))

function deathOf(error: Error): undefined {
  expect(error.message).toBe('killed')
}

async function view(catalog: Catalog, choice = {}): Promise<string[]> {
  return Promise.all(
    PARTITIONS.map(async partition => {
      const batch = await catalog.load({ ...USERS, partition }, choice).catch((error: CatalogError) => error.code)
      return typeof batch === 'string' ? batch : ((await textOf(batch))[0] ?? '')
    }),
  )
}

describe('storeAll', () => {
  test('commits all at one instant, each with its own number, batch and inputs', async () => {
    const { catalog } = world
    await catalog.store({ ...USERS, partition: 'p=b' }, { parts: textParts('before'), ...REASON })
    const inputs = [{ table: 'shop.raw', partition: 'p', batchId: '20010630000000-00000000' }]
    const own = [{ table: 'shop.raw', partition: 'q', batchId: '20010630000000-00000001' }]
    const [a, b, c] = batchesOf('new')
    if (a === undefined || b === undefined || c === undefined) throw new Error('three partitions')
    const stored = await catalog.storeAll(USERS, [a, { ...b, inputs: own }, c], { ...REASON, inputs })
    expect(stored.map(({ partition, entry }) => [partition, entry.number])).toEqual([
      ['p=a', 1],
      ['p=b', 2],
      ['p=c', 1],
    ])
    for (const { partition, entry } of stored) expect(await catalog.current({ ...USERS, partition })).toEqual(entry)
    expect(new Set(stored.map(({ entry }) => entry.at)).size).toBe(1)
    expect(new Set(stored.map(({ entry }) => entry.batchId)).size).toBe(3)
    const [first, second] = await Promise.all(PARTITIONS.map(partition => catalog.load({ ...USERS, partition })))
    expect([first?.manifest.inputs, second?.manifest.inputs]).toEqual([inputs, own])
    expect(world.store.calls.createAll).toBe(1)
  })

  test('is one commit to whoever asks for an instant, whatever else is committed', async () => {
    const { catalog } = world
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }), async rounds => {
        const cuts: { readonly at: number; readonly text: string }[] = []
        for (const [round, beside] of rounds.entries()) {
          const text = `${cuts.length} of ${round}`
          const [stored] = await catalog.storeAll(USERS, batchesOf(text), REASON)
          cuts.push({ at: stored?.entry.at ?? 0, text })
          const partition = PARTITIONS[beside]
          if (partition !== undefined) {
            await catalog.store({ ...USERS, partition }, { parts: textParts('beside'), ...REASON })
          }
        }
        for (const { at, text } of cuts) {
          expect(await view(catalog, { asOfMs: at })).toEqual(PARTITIONS.map(partition => `${text} ${partition}`))
        }
      }),
      { numRuns: 20 },
    )
  })

  test('is never earlier than what it follows, by whose clock ever', async () => {
    let nowMs = START_MS + 3_600_000
    const ahead = catalog({ ...world, clock: () => nowMs++, random: seededRandom(6), sleep: async () => undefined })
    const before = await ahead.store({ ...USERS, partition: 'p=b' }, { parts: textParts('ahead'), ...REASON })
    const stored = await world.catalog.storeAll(USERS, batchesOf('new'), REASON)
    expect(stored.map(({ entry }) => entry.at)).toEqual([before.at, before.at, before.at])
  })

  test('of nothing is nothing, and of a partition twice is refused', async () => {
    expect(await world.catalog.storeAll(USERS, [], REASON)).toEqual([])
    const twice = [...batchesOf('a'), ...batchesOf('b', ['p=b'])]
    await expect(world.catalog.storeAll(USERS, twice, REASON)).rejects.toMatchObject({ code: 'partition-twice' })
    const wrong = [...batchesOf('a'), ...batchesOf('b', ['p#d'])]
    await expect(world.catalog.storeAll(USERS, wrong, REASON)).rejects.toMatchObject({ code: 'name-invalid' })
    const unsaid = world.catalog.storeAll(USERS, batchesOf('a'), { who: 'ana', why: '' })
    await expect(unsaid).rejects.toMatchObject({ code: 'reason-invalid' })
    expect(world.objects.objects.size).toBe(0)
  })

  test('takes a hundred partitions, and refuses more before anything is written', async () => {
    const names = Array.from({ length: 101 }, (_, index) => `p=${index}`)
    const batches = names.map(partition => ({ partition, parts: [] }))
    const before = [world.store.items.size, world.objects.calls.create]
    await expect(world.catalog.storeAll(USERS, batches, REASON)).rejects.toMatchObject({ code: 'transaction-too-big' })
    expect([world.store.items.size, world.objects.calls.create]).toEqual(before)
    expect(await world.catalog.storeAll(USERS, batches.slice(1), REASON)).toHaveLength(100)
  })

  test('says before anything is written that the store has no transactions', async () => {
    const store: CatalogStore = {
      ...world.store,
      checkTransactions: async () => {
        throw new CatalogError('none', { code: 'transactions-unavailable' })
      },
    }
    const catalog = catalogOver(store, world.objects)
    const items = world.store.items.size
    for (const key of [{}, { idempotencyKey: 'export 17' }]) {
      const refused = catalog.storeAll(USERS, batchesOf('a'), { ...REASON, ...key })
      await expect(refused).rejects.toMatchObject({ code: 'transactions-unavailable' })
    }
    expect([world.store.items.size, world.objects.calls.create]).toEqual([items, 0])
  })

  test('reads the numbers again where others were first, also where their transaction is under way', async () => {
    let disturbances = 3
    const store: CatalogStore = {
      ...world.store,
      createAll: async items => {
        if (disturbances-- > 0) {
          const other = { parts: textParts(`other ${disturbances}`), ...REASON }
          await world.catalog.store({ ...USERS, partition: 'p=b' }, other)
          if (disturbances === 1) throw new CatalogError('at it', { code: 'catalog-contended', retriable: true })
        }
        return world.store.createAll(items)
      },
    }
    const stored = await catalogOver(store, world.objects).storeAll(USERS, batchesOf('new'), REASON)
    expect(stored.map(({ entry }) => entry.number)).toEqual([1, 4, 1])
    expect(await view(world.catalog)).toEqual(['new p=a', 'new p=b', 'new p=c'])
  })

  test('gives up, retriably and with nothing visible, where others are always first', async () => {
    const store: CatalogStore = { ...world.store, createAll: async () => 'exists' }
    const refused = catalogOver(store, world.objects).storeAll(USERS, batchesOf('new'), REASON)
    await expect(refused).rejects.toMatchObject({ code: 'log-contended', retriable: true })
    expect(await view(world.catalog)).toEqual(PARTITIONS.map(() => 'partition-empty'))
  })

  test('whose answer was lost and that the client repeats counts once', async () => {
    const store: CatalogStore = {
      ...world.store,
      createAll: async items => (await world.store.createAll(items), world.store.createAll(items)),
    }
    const stored = await catalogOver(store, world.objects).storeAll(USERS, batchesOf('once'), REASON)
    for (const { partition, entry } of stored) {
      expect(await world.catalog.history({ ...USERS, partition })).toEqual([entry])
    }
  })
})

describe('storeAll with a key', () => {
  const keyed = (catalog: Catalog, text = 'new', partitions = PARTITIONS) =>
    catalog.storeAll(USERS, batchesOf(text, partitions), { ...REASON, idempotencyKey: 'export 17' })

  test('gives the same entries again and writes nothing', async () => {
    const stored = await keyed(world.catalog)
    await world.catalog.storeAll(USERS, batchesOf('later'), REASON)
    const [items, creates] = [world.store.items.size, world.objects.calls.create]
    expect(await keyed(world.catalog)).toEqual(stored)
    expect([world.store.items.size, world.objects.calls.create]).toEqual([items, creates])
  })

  test('stands for all of its partitions: fewer, more, others or one of them alone are refused', async () => {
    await keyed(world.catalog)
    for (const partitions of [['p=a'], ['p=a', 'p=b'], [...PARTITIONS, 'p=d'], ['p=c', 'p=d']]) {
      await expect(keyed(world.catalog, 'new', partitions)).rejects.toMatchObject({ code: 'idempotency-key-reused' })
    }
    const alone = { parts: textParts('new p=a', 'more'), ...REASON, idempotencyKey: 'export 17' }
    const refused = world.catalog.store({ ...USERS, partition: 'p=a' }, alone)
    await expect(refused).rejects.toMatchObject({ code: 'idempotency-key-reused' })
    expect(await view(world.catalog)).toEqual(['new p=a', 'new p=b', 'new p=c'])
  })

  test('whoever dies wherever, with others at once: one commit of all, and all get it', async () => {
    const attempt = fc.record({ deathAt: fc.nat(100), isBesideLast: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { maxLength: 4 }), fc.nat(4), async (attempts, other) => {
        world = catalogWorld()
        await world.catalog.createTable(USERS, PLAIN)
        await world.catalog.storeAll(USERS, batchesOf('old'), REASON)
        const entries: (readonly CurrentPartition[] | undefined)[] = []
        let running: Promise<readonly CurrentPartition[] | undefined>[] = []
        for (const [index, { deathAt, isBesideLast }] of attempts.entries()) {
          if (!isBesideLast) entries.push(...(await Promise.all(running.splice(0))))
          const mortal = steppedStores(world, mortalStep(deathAt).step)
          const writer = catalogOver(mortal.store, mortal.objects, seededRandom(100 + index))
          running = [...running, keyed(writer).catch(deathOf)]
          if (index === other) await world.catalog.store({ ...USERS, partition: 'p=d' }, { parts: [], ...REASON })
          if (index === other) {
            await world.catalog.store({ ...USERS, partition: 'p=b' }, { parts: textParts('other p=b'), ...REASON })
          }
        }
        entries.push(...(await Promise.all(running)))
        const last = await keyed(world.catalog)
        for (const stored of entries) if (stored !== undefined) expect(stored).toEqual(last)
        for (const { partition, entry } of last) {
          const history = await world.catalog.history({ ...USERS, partition })
          expect(history.filter(({ batchId }) => batchId === entry.batchId)).toEqual([entry])
        }
        const [cut] = last
        const asOfMs = cut?.entry.at ?? 0
        expect(await view(world.catalog, { asOfMs })).toEqual(['new p=a', 'new p=b', 'new p=c'])
      }),
      { numRuns: 60 },
    )
  })

  test('is refused with other bytes, with none of them visible', async () => {
    const mortal = steppedStores(world, mortalStep(60).step)
    await expect(keyed(catalogOver(mortal.store, mortal.objects, seededRandom(9)))).rejects.toThrow('killed')
    await expect(keyed(world.catalog, 'other')).rejects.toMatchObject({ code: 'idempotency-key-reused' })
    expect(await view(world.catalog)).toEqual(PARTITIONS.map(() => 'partition-empty'))
    expect(await keyed(world.catalog)).toHaveLength(3)
  })
})

describe('storeAllRows', () => {
  const typed = { db: 'shop', table: 'typed' }
  beforeEach(async () => {
    await world.catalog.createTable(typed, { ...PLAIN, format: 'parquet', columns: [{ name: 'n', type: 'int64' }] })
  })

  test('stores the rows of each partition, in parts of a bounded number of rows', async () => {
    const rows = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))
    const batches = [
      { partition: 'p=a', rows: rows(5), partRowsMax: 2 },
      { partition: 'p=b', rows: rows(1) },
    ]
    const stored = await storeAllRows(world.catalog, typed, batches, REASON)
    expect(stored.map(({ entry }) => entry.number)).toEqual([1, 1])
    for (const [partition, count] of [['p=a', 5] as const, ['p=b', 1] as const]) {
      const found: unknown[] = []
      for await (const row of loadRows(world.catalog, { ...typed, partition })) found.push(row)
      expect(found).toEqual(rows(count))
    }
    expect((await world.catalog.load({ ...typed, partition: 'p=a' })).manifest.parts.map(part => part.rows)).toEqual([
      2, 2, 1,
    ])
  })

  test('commits none where a row of the last one is wrong', async () => {
    const batches = [
      { partition: 'p=a', rows: [{ n: 1 }] },
      { partition: 'p=b', rows: [{ n: 'many' }] },
    ]
    const refused = storeAllRows(world.catalog, typed, batches, REASON)
    await expect(refused).rejects.toMatchObject({ code: 'row-invalid' })
    expect(await world.catalog.partitions(typed)).toEqual([])
    const nowhere = storeAllRows(world.catalog, { ...typed, table: 'nowhere' }, batches, REASON)
    await expect(nowhere).rejects.toMatchObject({ code: 'table-not-found' })
  })
})

test('a single partition is one of several', async () => {
  const [only] = await world.catalog.storeAll(USERS, batchesOf('one', [DAY.partition]), REASON)
  expect(await world.catalog.current(DAY)).toEqual(only?.entry)
})
