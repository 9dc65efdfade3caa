// What makes a batch visible, under death at every step, racing committers and repeated writes.
import { expect, test } from 'vitest'
import type { CatalogStore } from '../../src/catalog/catalog-store.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { catalogOver, catalogWorld, DAY, PLAIN, REASON, textOf, textParts, USERS } from './factories.ts'

/** Dies at the nth instant before or after a call, and stays dead until it is started again. */
function mortal() {
  let instants = 0
  let deathAt = Number.POSITIVE_INFINITY
  return {
    fault: () => {
      if (instants++ >= deathAt) throw new Error('killed')
    },
    dieAt: (instant: number) => {
      instants = 0
      deathAt = instant
    },
    restart: () => {
      deathAt = Number.POSITIVE_INFINITY
    },
    instants: () => instants,
  }
}

test('killed at any instant, readers see the old batch or the whole new one, and the next run commits', async () => {
  const life = mortal()
  const seen: string[] = []
  let instantsOfStore = Number.POSITIVE_INFINITY
  for (let instant = 0; instant <= instantsOfStore; instant++) {
    life.restart()
    const { catalog, objects } = catalogWorld({ fault: life.fault })
    await catalog.createTable(USERS, PLAIN)
    await catalog.store(DAY, { parts: textParts('old'), ...REASON })

    life.dieAt(instant)
    const outcome = await catalog.store(DAY, { parts: textParts('new 1', 'new 2'), ...REASON }).then(
      () => 'stored',
      (error: Error) => error.message,
    )
    if (outcome === 'stored') instantsOfStore = life.instants()
    else expect(outcome).toBe('killed')
    life.restart()

    const visible = (await textOf(await catalog.load(DAY))).join()
    seen.push(visible)
    expect(['old', 'new 1,new 2']).toContain(visible)
    // An orphan cannot be named either.
    const committed = new Set((await catalog.history(DAY)).map(entry => entry.batchId))
    for (const key of objects.objects.keys()) {
      const batchId = key.split('/')[3] ?? ''
      if (committed.has(batchId)) continue
      await expect(catalog.load(DAY, batchId)).rejects.toMatchObject({ code: 'batch-not-found' })
    }

    await catalog.store(DAY, { parts: textParts('next'), ...REASON })
    expect(await textOf(await catalog.load(DAY))).toEqual(['next'])
  }
  // Schema, two parts, a look at each, manifest, batch item, look at the log, log entry: two instants each; visible from the last one on.
  expect(instantsOfStore).toBe(18)
  expect(seen.indexOf('new 1,new 2')).toBe(17)
})

test('racing committers are all kept, in one order', async () => {
  const { catalog } = catalogWorld()
  await catalog.createTable(USERS, PLAIN)
  const racers = Array.from({ length: 12 }, (_, racer) => `racer ${racer}`)
  const entries = await Promise.all(racers.map(text => catalog.store(DAY, { parts: textParts(text), ...REASON })))
  const history = await catalog.history(DAY)
  expect(history.map(entry => entry.number)).toEqual(Array.from({ length: 12 }, (_, index) => 12 - index))
  expect(new Set(history.map(entry => entry.batchId))).toEqual(new Set(entries.map(entry => entry.batchId)))
  expect(await textOf(await catalog.load(DAY))).toEqual([racers[entries.findIndex(entry => entry.number === 12)]])
})

test('gives up, retriably, where others always commit first', async () => {
  const inner = memoryCatalogStore()
  const beaten: CatalogStore = {
    ...inner,
    create: async item => {
      if (item.sk.startsWith('log#'))
        await inner.create({ ...item, attributes: { ...item.attributes, token: 'other' } })
      return inner.create(item)
    },
  }
  const catalog = catalogOver(beaten, memoryObjectStore())
  await catalog.createTable(USERS, PLAIN)
  await expect(catalog.store(DAY, { parts: textParts('a'), ...REASON })).rejects.toMatchObject({
    code: 'log-contended',
    retriable: true,
  })
})

test('a write whose answer was lost and that the client repeats counts once', async () => {
  const store = memoryCatalogStore()
  const objects = memoryObjectStore()
  const repeating = catalogOver(
    { ...store, create: async item => (await store.create(item), store.create(item)) },
    { ...objects, create: async (key, body) => (await objects.create(key, body), objects.create(key, body)) },
    seededRandom(5),
  )
  expect(await repeating.createTable(USERS, PLAIN)).toBe('exists')
  const entry = await repeating.store(DAY, { parts: textParts('once'), ...REASON })
  expect(await repeating.history(DAY)).toEqual([entry])
  expect(await textOf(await repeating.load(DAY))).toEqual(['once'])
})
