// Thirty-two writers at once on one partition: each commit is in the log, in one order that all see alike, on each store of items.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalog } from '../../src/catalog/catalog.ts'
import type { CatalogStore } from '../../src/catalog/catalog-store.ts'
import { dynamodbCatalogStore } from '../../src/catalog/dynamodb-catalog-store.ts'
import type { LogEntry } from '../../src/catalog/items.ts'
import { systemSleep } from '../../src/platform/clock.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { startDynaliteCatalog } from '../fakes/dynalite-catalog.ts'
import { startLocalAws } from '../fakes/local-aws.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { catalogOver, DAY, PLAIN, REASON, START_MS, textOf, textParts, USERS } from './factories.ts'

const WRITERS = 32
const NEXT = { ...USERS, partition: 'date=2001-07-01' }

interface UnderTest {
  readonly store: CatalogStore
  readonly hasTransactions: boolean
  readonly stop: () => Promise<void>
}

const STORES: Readonly<Record<string, () => Promise<UnderTest>>> = {
  'the fake': async () => ({ store: memoryCatalogStore(), hasTransactions: true, stop: async () => undefined }),
  dynalite: async () => {
    const { client, tableName, stop } = await startDynaliteCatalog('catalog')
    return { store: dynamodbCatalogStore({ client, tableName }), hasTransactions: false, stop }
  },
  'the local cloud': async () => {
    const aws = await startLocalAws()
    await aws.createCatalogTable('catalog')
    const store = dynamodbCatalogStore({ client: aws.clients.dynamodb, tableName: 'catalog' })
    return { store, hasTransactions: true, stop: aws.stop }
  },
}

/** Two seconds on a quiet machine, most of them dynalite's. */
const TEST_MS_MAX = 60_000

describe.each(Object.entries(STORES))('on %s', (_name, start) => {
  let underTest: UnderTest
  beforeAll(async () => {
    underTest = await start()
  })
  afterAll(() => underTest.stop())

  test('32 writers at once are 32 batches in the history, in one order, none lost', {
    timeout: TEST_MS_MAX,
  }, async () => {
    const { store, hasTransactions } = underTest
    const objects = memoryObjectStore()
    const reader = catalogOver(store, objects, seededRandom(1))
    await reader.createTable(USERS, PLAIN)
    // They wait as they do outside of tests: without it all lose together, round after round.
    let nowMs = START_MS
    const writer = (index: number) =>
      catalog({ store, objects, clock: () => (nowMs += 1000), random: seededRandom(100 + index), sleep: systemSleep })
    /** A quarter of them commits to the partition and to another one together. */
    const isTogether = (index: number) => hasTransactions && index % 4 === 0
    const stored = await Promise.all(
      Array.from({ length: WRITERS }, async (_, index): Promise<readonly LogEntry[]> => {
        const parts = textParts(`writer ${index}`, 'all of it')
        if (!isTogether(index)) return [await writer(index).store(DAY, { parts, ...REASON })]
        const batches = [DAY, NEXT].map(({ partition }) => ({ partition, parts }))
        return (await writer(index).storeAll(USERS, batches, REASON)).map(({ entry }) => entry)
      }),
    )

    const history = await reader.history(DAY)
    expect(history.map(({ number }) => number)).toEqual(Array.from({ length: WRITERS }, (_, index) => WRITERS - index))
    const entries = stored.map(([entry]) => entry)
    expect(entries.toSorted((a, b) => (b?.number ?? 0) - (a?.number ?? 0))).toEqual(history)
    expect(new Set(history.map(({ batchId }) => batchId)).size).toBe(WRITERS)
    const times = history.map(({ at }) => at)
    expect(times).toEqual(times.toSorted((a, b) => b - a))
    for (const [index, entry] of entries.entries()) {
      expect(await textOf(await reader.load(DAY, entry?.batchId))).toEqual([`writer ${index}`, 'all of it'])
    }

    const together = stored.flatMap(([, other]) => other ?? [])
    expect(together).toHaveLength(hasTransactions ? WRITERS / 4 : 0)
    expect(together.toSorted((a, b) => b.number - a.number)).toEqual(await reader.history(NEXT))
    for (const [index, [entry, other]] of stored.entries()) {
      expect(other?.at).toBe(isTogether(index) ? entry?.at : undefined)
    }
  })
})
