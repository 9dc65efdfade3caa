// Retention against whoever makes a batch current, promotes or anchors it, at every pair of instants.
import { describe, expect, test } from 'vitest'
import { catalog, type Catalog } from '../../src/catalog/catalog.ts'
import type { CatalogStore } from '../../src/catalog/catalog-store.ts'
import { runRetention } from '../../src/catalog/run-retention.ts'
import { HOUR_MS } from '../../src/platform/duration.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { DAY, REASON, USERS } from './factories.ts'
import {
  interrupted,
  type MaintenanceWorld,
  newMaintenanceWorld,
  NEXT,
  overwrites,
  readAll,
} from './maintenance-world.ts'

let world: MaintenanceWorld
let ids: string[] = []
const idOf = (index: number): string => ids[index] ?? ''
const purge = (store: CatalogStore) =>
  runRetention({ ...world, store }, USERS, {
    policy: { keepBatches: 1 },
    who: 'ops',
    why: 'storage',
    pinnedBy: [],
    isDryRun: false,
  })

describe('of a purge and who wants to rely on the batch, at any two instants one fails', () => {
  const catalogOf = (store: CatalogStore): Catalog =>
    catalog({ ...world, store, random: seededRandom(7), sleep: async () => undefined })
  const claims: Readonly<Record<string, (on: Catalog) => Promise<unknown>>> = {
    anchor: on => on.anchor(DAY, { anchor: 'report', batchId: idOf(0), ...REASON }),
    'anchor in another partition': on => on.anchor(NEXT, { anchor: 'report', batchId: idOf(0), ...REASON }),
    rollback: on => on.rollback(DAY, { to: idOf(0), ...REASON }),
    'rollback of another partition': on => on.rollback(NEXT, { to: idOf(0), ...REASON }),
    promote: on => on.promote(DAY, { ...USERS, partition: 'third' }, { batchId: idOf(0), ...REASON }),
    'promote from another partition': on =>
      on.promote(NEXT, { ...USERS, partition: 'third' }, { batchId: idOf(0), ...REASON }),
  }

  async function prepare(): Promise<void> {
    world = await newMaintenanceWorld()
    ids = await overwrites(world, 2)
    for (const batchId of ids) await world.catalog.promote(DAY, NEXT, { batchId, ...REASON })
    world.pass(2 * HOUR_MS)
  }

  /** Whole for who was let in, purged for who was not. */
  async function assess(isLetIn: boolean, when: string): Promise<void> {
    const expected = isLetIn ? '0,0 again' : 'batch-purged'
    expect(await readAll(world, [idOf(0)]), when).toEqual([expected])
    expect(await readAll(world, [idOf(0)], NEXT), when).toEqual([expected])
    expect(
      [...world.objects.objects.keys()].some(key => key.includes(idOf(0))),
      when,
    ).toBe(isLetIn)
    const { purged } = await world.catalog.batch(DAY, idOf(0))
    expect(purged === undefined, when).toBe(isLetIn)
  }

  const succeeds = (attempt: Promise<unknown>): Promise<boolean> =>
    attempt.then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'batch-purged' })
        return false
      },
    )

  test.each(Object.keys(claims))('%s, inside the purge', async name => {
    const claim = claims[name] ?? (() => Promise.reject(new Error(name)))
    const outcomes = new Set<boolean>()
    for (let at = 0, hasHappened = true; hasHappened; at++) {
      await prepare()
      let isLetIn = false
      const happen = async (): Promise<void> => {
        isLetIn = await succeeds(claim(world.catalog))
      }
      const own = interrupted(world.store, { at, happen })
      await purge(own.store)
      hasHappened = own.hasHappened()
      if (hasHappened) outcomes.add(isLetIn)
      if (hasHappened) await assess(isLetIn, `${name} at call ${at}`)
    }
    expect([...outcomes].map(String).toSorted()).toEqual(['false', 'true'])
  })

  test.each(Object.keys(claims))('the purge inside %s', async name => {
    const claim = claims[name] ?? (() => Promise.reject(new Error(name)))
    const outcomes = new Set<boolean>()
    for (let at = 0, hasHappened = true; hasHappened; at++) {
      await prepare()
      const own = interrupted(world.store, { at, happen: () => purge(world.store) })
      const isLetIn = await succeeds(claim(catalogOf(own.store)))
      hasHappened = own.hasHappened()
      if (hasHappened) outcomes.add(isLetIn)
      if (hasHappened) await assess(isLetIn, `${name} at call ${at}`)
    }
    expect(outcomes).toContain(false)
  })

  test.each(Object.keys(claims))(
    '%s, which sleeps before its last step while a purge that began earlier ends',
    async name => {
      const claim = claims[name] ?? (() => Promise.reject(new Error(name)))
      const outcomes = new Set<boolean>()
      for (let at = 0, hasHappened = true; hasHappened; at++) {
        await prepare()
        let sleeper: Promise<boolean> | undefined
        let wake = (): void => undefined
        const purgeEnds = new Promise<void>(resolve => {
          wake = resolve
        })
        const happen = (): Promise<unknown> =>
          new Promise(resolve => {
            const lastStep = async (): Promise<void> => {
              resolve(undefined)
              await purgeEnds
            }
            const asleep: CatalogStore = {
              ...world.store,
              create: async item => {
                if (item.sk.startsWith('log#')) await lastStep()
                return world.store.create(item)
              },
              replace: async item => {
                if (item.attributes['anchors'] !== undefined) await lastStep()
                return world.store.replace(item)
              },
            }
            sleeper = succeeds(claim(catalogOf(asleep)))
            void sleeper.then(resolve)
          })
        const own = interrupted(world.store, { at, happen })
        await purge(own.store)
        wake()
        hasHappened = own.hasHappened()
        const isLetIn = (await sleeper) ?? false
        if (hasHappened) outcomes.add(isLetIn)
        if (hasHappened) await assess(isLetIn, `${name} at call ${at}`)
      }
      expect(outcomes).toContain(false)
    },
  )
})
