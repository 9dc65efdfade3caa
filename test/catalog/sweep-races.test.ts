// A sweep against a writer that ends what it, or another one, began long ago: the batch is whole or nowhere.
import { expect, test } from 'vitest'
import { catalog } from '../../src/catalog/catalog.ts'
import type { CatalogStore } from '../../src/catalog/catalog-store.ts'
import { SWEEP_GRACE_MS, sweepTable } from '../../src/catalog/sweep.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { DAY, REASON, textOf, textParts, USERS } from './factories.ts'
import { interrupted, killing, type MaintenanceWorld, newMaintenanceWorld } from './maintenance-world.ts'

const kill = killing()
let world: MaintenanceWorld

const input = { parts: textParts('a', 'b'), idempotencyKey: 'monday', ...REASON }
const sweep = (store: CatalogStore) =>
  sweepTable({ ...world, store }, USERS, { graceMs: SWEEP_GRACE_MS, isDeleting: true, who: 'ops', why: 'sweep' })

async function write(store: CatalogStore): Promise<boolean> {
  const own = catalog({ ...world, store, random: seededRandom(9), sleep: async () => undefined })
  return own.store(DAY, input).then(
    () => true,
    (error: unknown) => {
      expect(error).toMatchObject({ code: 'batch-purged' })
      return false
    },
  )
}

/** A writer that died with everything there that `isEnough` asks for. */
async function prepare(isEnough: () => boolean): Promise<void> {
  kill.never()
  world = await newMaintenanceWorld(kill.fault)
  for (let call = 0; !isEnough(); call++) {
    kill.at(call)
    await world.catalog.store(DAY, input).catch(() => undefined)
    kill.never()
    if (call > 200) throw new Error('It never begins')
  }
  world.pass(2 * DAY_MS)
}

const begun = {
  'the first part': () => world.objects.objects.size > 0,
  'the manifest': () => [...world.objects.objects.keys()].some(key => key.endsWith('/manifest.json')),
  'the batch item': () => [...world.store.items.keys()].some(key => key.includes('batch#')),
}

test.each(Object.entries(begun))('%s was there', async (name, isEnough) => {
  const outcomes = { writerInside: new Set<boolean>(), sweepInside: new Set<boolean>() }
  for (const inside of ['writerInside', 'sweepInside'] as const) {
    for (let at = 0, hasHappened = true; hasHappened; at++) {
      await prepare(isEnough)
      let isCommitted = false
      if (inside === 'writerInside') {
        const happen = async (): Promise<void> => {
          isCommitted = await write(world.store)
        }
        const own = interrupted(world.store, { at, happen })
        await sweep(own.store)
        hasHappened = own.hasHappened()
      } else {
        const own = interrupted(world.store, { at, happen: () => sweep(world.store) })
        isCommitted = await write(own.store)
        hasHappened = own.hasHappened()
      }
      if (!hasHappened) break
      outcomes[inside].add(isCommitted)
      const when = `${name}, ${inside}, call ${at}`
      expect((await world.catalog.history(DAY)).length, when).toBe(isCommitted ? 1 : 0)
      if (isCommitted) expect(await textOf(await world.catalog.load(DAY)), when).toEqual(['a', 'b'])
    }
  }
  expect(outcomes.writerInside).toContain(true)
  expect(outcomes.sweepInside).toContain(false)
})
