// The same key gives the same batch: after a success, after writers that died at any boundary, and with several at once.
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Catalog } from '../../src/catalog/catalog.ts'
import type { LogEntry } from '../../src/catalog/items.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import {
  type CatalogWorld,
  catalogOver,
  catalogWorld,
  DAY,
  PLAIN,
  REASON,
  textOf,
  textParts,
  USERS,
} from './factories.ts'
import { mortalStep, steppedStores } from './steps.ts'

const KEY = 'orders of 2001-06-30, export #17 / ü'
const NEXT = { ...USERS, partition: 'date=2001-07-01' }

let world: CatalogWorld
beforeEach(async () => {
  world = catalogWorld()
  await world.catalog.createTable(USERS, PLAIN)
})

const keyed = (catalog: Catalog, ...texts: string[]) =>
  catalog.store(DAY, { parts: textParts(...texts), ...REASON, idempotencyKey: KEY })

describe('the same key again', () => {
  test('gives the same entry, writes nothing and pulls no part', async () => {
    const entry = await keyed(world.catalog, 'a', 'b')
    await world.catalog.store(DAY, { parts: textParts('later'), ...REASON })
    const [objects, items] = [world.objects.objects.size, world.store.items.size]
    function* never() {
      yield* textParts('a')
      throw new Error('pulled')
    }
    const again = await world.catalog.store(DAY, { parts: never(), who: 'bob', why: 'again', idempotencyKey: KEY })
    expect(again).toEqual(entry)
    expect([world.objects.objects.size, world.store.items.size]).toEqual([objects, items])
    expect(await textOf(await world.catalog.load(DAY))).toEqual(['later'])
    expect(await textOf(await world.catalog.load(DAY, entry.batchId))).toEqual(['a', 'b'])
  })

  test('gives the same entry after a rollback, and does not make it current', async () => {
    const first = await world.catalog.store(DAY, { parts: textParts('first'), ...REASON })
    const entry = await keyed(world.catalog, 'second')
    await world.catalog.rollback(DAY, { to: first.batchId, ...REASON })
    expect(await keyed(world.catalog, 'second')).toEqual(entry)
    expect(await textOf(await world.catalog.load(DAY))).toEqual(['first'])
  })

  test('is another batch in another partition, and in another table', async () => {
    const other = { ...USERS, table: 'orders', partition: DAY.partition }
    await world.catalog.createTable(other, PLAIN)
    const ids = await Promise.all(
      [DAY, NEXT, other].map(async ref => {
        const input = { parts: textParts(ref.table), ...REASON, idempotencyKey: KEY }
        return (await world.catalog.store(ref, input)).batchId
      }),
    )
    expect(new Set(ids).size).toBe(3)
  })

  test('in no place of the catalogue stands the key itself', async () => {
    await keyed(world.catalog, 'a')
    expect(JSON.stringify([...world.store.items.values()])).not.toContain('export #17')
  })

  test('is refused where it is empty, too long or no Unicode, and with a batch ID of its own that is another', async () => {
    for (const idempotencyKey of ['', ' ', 'x'.repeat(1025), '\ud800']) {
      const refused = world.catalog.store(DAY, { parts: textParts('a'), ...REASON, idempotencyKey })
      await expect(refused).rejects.toMatchObject({ code: 'idempotency-key-invalid' })
    }
    expect(world.objects.objects.size).toBe(0)
    const input = { parts: textParts('a'), ...REASON, idempotencyKey: KEY }
    const { batchId } = await world.catalog.store(DAY, { ...input, batchId: '20010701000000-00000000' })
    expect(batchId).toBe('20010701000000-00000000')
    const other = world.catalog.store(DAY, { ...input, batchId: '20010701000000-00000001' })
    await expect(other).rejects.toMatchObject({ code: 'idempotency-key-reused' })
  })
})

/** A writer over the world's stores that dies at the boundary. */
function writer(deathAt: number, seed: number): Catalog {
  const mortal = steppedStores(world, mortalStep(deathAt).step)
  return catalogOver(mortal.store, mortal.objects, seededRandom(seed))
}

describe('a writer that died', () => {
  test.each([
    ['another part', ['a', 'x']],
    ['fewer parts', ['a']],
    ['no part', []],
  ])('is not followed by one with %s: the key was used for other data', async (_what, texts) => {
    // Both parts are there.
    await expect(keyed(writer(15, 9), 'a', 'b')).rejects.toThrow('killed')
    expect(world.objects.objects.size).toBe(2)
    await expect(keyed(world.catalog, ...texts)).rejects.toMatchObject({
      code: 'idempotency-key-reused',
      retriable: false,
    })
    expect(await world.catalog.current(DAY)).toBeUndefined()
    expect(await keyed(world.catalog, 'a', 'b')).toMatchObject({ number: 1 })
    expect(await textOf(await world.catalog.load(DAY))).toEqual(['a', 'b'])
  })

  test('is not followed by one with more parts once its manifest is there', async () => {
    const isThere = () => [...world.objects.objects.keys()].some(key => key.endsWith('manifest.json'))
    for (let deathAt = 15; !isThere(); deathAt++) {
      await expect(keyed(writer(deathAt, 9), 'a', 'b')).rejects.toThrow('killed')
    }
    await expect(keyed(world.catalog, 'a', 'b', 'c')).rejects.toMatchObject({ code: 'idempotency-key-reused' })
    expect(await world.catalog.current(DAY)).toBeUndefined()
    expect(await keyed(world.catalog, 'a', 'b')).toMatchObject({ number: 1 })
  })

  test('is not followed by other data, of which nothing is written that would be in the way of the right one', async () => {
    for (let deathAt = 5; deathAt < 14; deathAt++) {
      world = catalogWorld()
      await world.catalog.createTable(USERS, PLAIN)
      await expect(keyed(writer(deathAt, 9), 'a', 'b')).rejects.toThrow('killed')
      const objects = world.objects.objects.size
      if (objects === 0) continue
      await expect(keyed(world.catalog, 'x', 'y', 'z')).rejects.toMatchObject({ code: 'idempotency-key-reused' })
      expect(world.objects.objects.size).toBe(objects)
      expect(await keyed(world.catalog, 'a', 'b')).toMatchObject({ number: 1 })
    }
  })

  test('is not followed where a sweep has taken away what it left', async () => {
    await expect(keyed(writer(15, 9), 'a', 'b')).rejects.toThrow('killed')
    const [key = ''] = world.objects.objects.keys()
    const batchId = key.split('/')[3] ?? ''
    const purged = { at: 1, who: 'sweep', why: 'an orphan' }
    await world.store.create({
      table: 'shop.users',
      sk: `batch#${DAY.partition}#${batchId}`,
      attributes: {
        batchId,
        location: key.slice(0, key.lastIndexOf('/') + 1),
        format: 'unknown',
        parts: 0,
        rows: 0,
        bytes: 0,
        manifestKey: 'gone',
        manifestSha256: '0'.repeat(64),
        inputs: [],
        state: 'purged',
        at: 1,
        who: 'sweep',
        purged,
      },
    })
    const objects = world.objects.objects.size
    await expect(keyed(world.catalog, 'a', 'b')).rejects.toMatchObject({ code: 'batch-purged' })
    expect(world.objects.objects.size).toBe(objects)
    expect(await world.catalog.current(DAY)).toBeUndefined()
  })
})

/** Boundaries of a keyed store of two parts: enough to die at any, and not to. */
const BOUNDARIES = 40

const attempt = fc.record({ deathAt: fc.nat(BOUNDARIES), isBesideLast: fc.boolean() })

test('whoever dies wherever, with others at once and between: one batch, one entry, all get it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(attempt, { maxLength: 5 }),
      fc.array(fc.nat(4), { maxLength: 3 }),
      async (attempts, others) => {
        world = { ...catalogWorld(), store: memoryCatalogStore(), objects: memoryObjectStore() }
        const survivor = catalogOver(world.store, world.objects, seededRandom(77))
        await survivor.createTable(USERS, PLAIN)
        await survivor.store(DAY, { parts: textParts('old'), ...REASON })
        let running: Promise<LogEntry | undefined>[] = []
        const entries: (LogEntry | undefined)[] = []
        for (const [index, { deathAt, isBesideLast }] of attempts.entries()) {
          if (!isBesideLast) entries.push(...(await Promise.all(running.splice(0))))
          const outcome = keyed(writer(deathAt, 100 + index), 'new 1', 'new 2').catch((error: Error) => {
            expect(error.message).toBe('killed')
            return undefined
          })
          running = [...running, outcome]
          if (others.includes(index)) await survivor.store(DAY, { parts: textParts(`other ${index}`), ...REASON })
          const visible = (await textOf(await survivor.load(DAY))).join('+')
          expect(visible).toMatch(/^(old|new 1\+new 2|other \d)$/)
        }
        entries.push(...(await Promise.all(running)))

        const last = await keyed(survivor, 'new 1', 'new 2')
        for (const entry of entries) if (entry !== undefined) expect(entry).toEqual(last)
        const commits = (await survivor.history(DAY)).filter(({ batchId }) => batchId === last.batchId)
        expect(commits).toEqual([last])
        expect(await textOf(await survivor.load(DAY, last.batchId))).toEqual(['new 1', 'new 2'])
        const objects = [...world.objects.objects.keys()].filter(key => key.includes(last.batchId))
        expect(objects).toHaveLength(3)
        const named = new Set((await survivor.history(DAY)).map(({ batchId }) => batchId))
        for (const key of world.objects.objects.keys()) expect(named).toContain(key.split('/')[3])
      },
    ),
    { numRuns: 150 },
  )
})

test('thirty-two at once with one key are one batch, and all get it', async () => {
  const slow = steppedStores(world, () => new Promise(resolve => setImmediate(resolve)))
  const entries = await Promise.all(
    Array.from({ length: 32 }, (_, index) =>
      keyed(catalogOver(slow.store, slow.objects, seededRandom(1000 + index)), 'a', 'b'),
    ),
  )
  for (const entry of entries) expect(entry).toEqual(entries[0])
  expect(await world.catalog.history(DAY)).toEqual([entries[0]])
})
