// Each verb that changes what readers see, killed at each boundary of each of its calls, with readers reading all the time: they see what
// was there or what comes, whole, and never go back.
import { expect, test } from 'vitest'
import type { Catalog } from '../../src/catalog/catalog.ts'
import { CatalogError } from '../../src/catalog/errors.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { catalogOver, DAY, PLAIN, REASON, textOf, textParts, USERS } from './factories.ts'
import { mortalStep, type Stores, steppedStores } from './steps.ts'

const NEXT = { ...USERS, partition: 'date=2001-07-01' }

interface Verb {
  /** What is there before it; what it needs is handed on. */
  prepare(catalog: Catalog): Promise<string>
  run(catalog: Catalog, prepared: string): Promise<unknown>
  /** What readers see, as one text. */
  see(catalog: Catalog): Promise<string>
  readonly old: string
  readonly new: string
  /** What somebody else does after the crash; it always succeeds, and then all see this. */
  again(catalog: Catalog, prepared: string): Promise<unknown>
  readonly next: string
}

const seen = async (catalog: Catalog, ...refs: (typeof DAY)[]): Promise<string> => {
  const texts: string[] = []
  for (const ref of refs) {
    const isThere = (await catalog.current(ref)) !== undefined
    texts.push(isThere ? (await textOf(await catalog.load(ref))).join('+') : 'nothing')
  }
  return texts.join(' ')
}

const unlessDone = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => {
    if (!(error instanceof CatalogError) || error.code !== 'already-current') throw error
  })

async function storeOld(catalog: Catalog): Promise<string> {
  return (await catalog.store(DAY, { parts: textParts('old', 'too'), ...REASON })).batchId
}

const both = (catalog: Catalog, text: string, more = {}) =>
  catalog.storeAll(
    USERS,
    [DAY, NEXT].map(({ partition }) => ({ partition, parts: textParts(text, `${text} too`) })),
    { ...REASON, ...more },
  )

const VERBS: Readonly<Record<string, Verb>> = {
  store: {
    prepare: storeOld,
    run: catalog => catalog.store(DAY, { parts: textParts('new 1', 'new 2'), ...REASON }),
    see: catalog => seen(catalog, DAY),
    old: 'old+too',
    new: 'new 1+new 2',
    again: catalog => catalog.store(DAY, { parts: textParts('next'), ...REASON }),
    next: 'next',
  },
  'store with a key': {
    prepare: storeOld,
    run: catalog => catalog.store(DAY, { parts: textParts('new 1', 'new 2'), ...REASON, idempotencyKey: 'export 17' }),
    see: catalog => seen(catalog, DAY),
    old: 'old+too',
    new: 'new 1+new 2',
    again: catalog =>
      catalog.store(DAY, { parts: textParts('new 1', 'new 2'), ...REASON, idempotencyKey: 'export 17' }),
    next: 'new 1+new 2',
  },
  storeAll: {
    prepare: async catalog => {
      await both(catalog, 'old')
      return ''
    },
    run: catalog => both(catalog, 'new'),
    see: catalog => seen(catalog, DAY, NEXT),
    old: 'old+old too old+old too',
    new: 'new+new too new+new too',
    again: catalog => both(catalog, 'next'),
    next: 'next+next too next+next too',
  },
  'storeAll with a key': {
    prepare: async catalog => {
      await both(catalog, 'old')
      return ''
    },
    run: catalog => both(catalog, 'new', { idempotencyKey: 'export 17' }),
    see: catalog => seen(catalog, DAY, NEXT),
    old: 'old+old too old+old too',
    new: 'new+new too new+new too',
    again: catalog => both(catalog, 'new', { idempotencyKey: 'export 17' }),
    next: 'new+new too new+new too',
  },
  rollback: {
    prepare: async catalog => {
      const batchId = await storeOld(catalog)
      await catalog.store(DAY, { parts: textParts('wrong', 'all of it'), ...REASON })
      return batchId
    },
    run: (catalog, to) => catalog.rollback(DAY, { to, ...REASON }),
    see: catalog => seen(catalog, DAY),
    old: 'wrong+all of it',
    new: 'old+too',
    again: (catalog, to) => unlessDone(catalog.rollback(DAY, { to, ...REASON })),
    next: 'old+too',
  },
  promote: {
    prepare: storeOld,
    run: (catalog, batchId) => catalog.promote(DAY, NEXT, { batchId, ...REASON }),
    see: catalog => seen(catalog, DAY, NEXT),
    old: 'old+too nothing',
    new: 'old+too old+too',
    again: (catalog, batchId) => unlessDone(catalog.promote(DAY, NEXT, { batchId, ...REASON })),
    next: 'old+too old+too',
  },
  anchor: {
    prepare: async catalog => {
      const batchId = await storeOld(catalog)
      await catalog.store(DAY, { parts: textParts('newer'), ...REASON })
      return batchId
    },
    run: (catalog, batchId) => catalog.anchor(DAY, { anchor: 'report', batchId, ...REASON }),
    see: async catalog => {
      const anchored = await catalog.load(DAY, { anchor: 'report' }).then(
        async batch => (await textOf(batch)).join('+'),
        (error: CatalogError) => error.code,
      )
      return `${await seen(catalog, DAY)} ${anchored}`
    },
    old: 'newer anchor-not-found',
    new: 'newer old+too',
    again: (catalog, batchId) => catalog.anchor(DAY, { anchor: 'report', batchId, ...REASON }),
    next: 'newer old+too',
  },
}

interface Life {
  readonly outcome: 'done' | 'killed'
  readonly boundaries: readonly string[]
  /** What readers saw, at each boundary and between. */
  readonly views: readonly string[]
  readonly after: string
}

async function live(verb: Verb, deathAt: number): Promise<Life> {
  const stores: Stores = { store: memoryCatalogStore(), objects: memoryObjectStore() }
  const reader = catalogOver(stores.store, stores.objects, seededRandom(3))
  await reader.createTable(USERS, PLAIN)
  const prepared = await verb.prepare(reader)

  const views: string[] = []
  const look = async (): Promise<void> => void views.push(await verb.see(reader))
  const { step, boundaries } = mortalStep(deathAt, look)
  const mortal = steppedStores(stores, step)
  const outcome = await verb.run(catalogOver(mortal.store, mortal.objects, seededRandom(4)), prepared).then(
    () => 'done' as const,
    (error: Error) => {
      expect(error.message).toBe('killed')
      return 'killed' as const
    },
  )
  const after = await verb.see(reader)

  await verb.again(catalogOver(stores.store, stores.objects, seededRandom(5)), prepared)
  expect(await verb.see(reader)).toBe(verb.next)
  return { outcome, boundaries, views, after }
}

test.each(Object.entries(VERBS))(
  '%s, killed at every boundary of every call, is seen whole or not at all',
  async (_name, verb) => {
    const whole = await live(verb, Number.POSITIVE_INFINITY)
    expect(whole).toMatchObject({ outcome: 'done', after: verb.new })
    const commit = whole.views.indexOf(verb.new)
    expect(whole.views[0]).toBe(verb.old)
    expect(commit).toBeGreaterThan(0)

    for (const [deathAt, boundary] of whole.boundaries.entries()) {
      const life = await live(verb, deathAt)
      expect(life.outcome, boundary).toBe('killed')
      expect(life.boundaries).toEqual(whole.boundaries.slice(0, deathAt + 1))
      expect(life.views).toEqual(life.views.map((_, index) => (index < commit ? verb.old : verb.new)))
      expect(life.after, boundary).toBe(deathAt < commit ? verb.old : verb.new)
    }
  },
)

test.each(Object.entries(VERBS))(
  '%s is never seen in parts by readers that do not wait for it',
  async (_name, verb) => {
    const stores: Stores = { store: memoryCatalogStore(), objects: memoryObjectStore() }
    const catalog = catalogOver(stores.store, stores.objects, seededRandom(3))
    await catalog.createTable(USERS, PLAIN)
    const prepared = await verb.prepare(catalog)
    let isDone = false
    const views: string[] = []
    // A network between: what one call of the writer does comes between two calls of a reader, and the other way round.
    const slow = steppedStores(stores, () => new Promise(resolve => setImmediate(resolve)))
    const slowly = (seed: number) => catalogOver(slow.store, slow.objects, seededRandom(seed))
    const readers = [0, 1, 2].map(async lag => {
      const reader = slowly(5 + lag)
      for (let wait = 0; wait < lag; wait++) await new Promise(resolve => setImmediate(resolve))
      while (!isDone) views.push(await verb.see(reader))
    })
    await verb.run(slowly(4), prepared).finally(() => {
      isDone = true
    })
    await Promise.all(readers)
    expect(await verb.see(catalog)).toBe(verb.new)
    // A reader of two partitions may have read the first before the commit and the second after it, and never the other way round.
    const [firstOld] = verb.old.split(' ')
    const between = verb.new
      .split(' ')
      .with(0, firstOld ?? '')
      .join(' ')
    expect(views.filter(view => ![verb.old, verb.new, between].includes(view))).toEqual([])
    expect(views).toContain(verb.old)
  },
)
