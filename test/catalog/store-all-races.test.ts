// A sweep against a writer of several partitions whose last one takes long: the first are old when all of them become current. All are
// whole and current, or none is.
import { expect, test } from 'vitest'
import { catalog } from '../../src/catalog/catalog.ts'
import type { CatalogStore } from '../../src/catalog/catalog-store.ts'
import { SWEEP_GRACE_MS, sweepTable } from '../../src/catalog/sweep.ts'
import type { PartInput } from '../../src/catalog/upload-parts.ts'
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { PLAIN, REASON, textOf, textParts, USERS } from './factories.ts'
import { interrupted, killing, type MaintenanceWorld, maintenanceWorld } from './maintenance-world.ts'

const PARTITIONS = ['p=a', 'p=b', 'p=c']
const GRACES_MS = { 'the default': SWEEP_GRACE_MS, 'an hour': HOUR_MS }

const kill = killing()
let world: MaintenanceWorld

async function prepare(): Promise<void> {
  kill.never()
  world = maintenanceWorld(kill.fault)
  await world.catalog.createTable(USERS, PLAIN)
}

const sweep = (store: CatalogStore, graceMs = SWEEP_GRACE_MS) =>
  sweepTable({ ...world, store }, USERS, { graceMs, isDeleting: true, who: 'ops', why: 'sweep' })

/** True: all are current. Before the last of them `between` happens. */
async function writeAll(store: CatalogStore, between: () => Promise<unknown>, key = {}): Promise<boolean> {
  const own = catalog({ ...world, store, random: seededRandom(9), sleep: async () => undefined })
  async function* late(parts: readonly PartInput[]): AsyncGenerator<PartInput> {
    await between()
    yield* parts
  }
  const batches = PARTITIONS.map(partition => {
    const parts = textParts(partition, 'more')
    return { partition, parts: partition === PARTITIONS.at(-1) ? late(parts) : parts }
  })
  return own.storeAll(USERS, batches, { ...REASON, ...key }).then(
    () => true,
    (error: unknown) => {
      expect(error).toMatchObject({ code: 'batch-purged' })
      return false
    },
  )
}

async function expectAllOrNone(isCommitted: boolean, when: string): Promise<void> {
  for (const partition of PARTITIONS) {
    const ref = { ...USERS, partition }
    expect((await world.catalog.history(ref)).length, when).toBe(isCommitted ? 1 : 0)
    if (isCommitted) expect(await textOf(await world.catalog.load(ref)), when).toEqual([partition, 'more'])
  }
}

test.each(Object.entries(GRACES_MS))('a sweep with a grace of %s while the last one is written', async (_, graceMs) => {
  await prepare()
  const isCommitted = await writeAll(world.store, async () => {
    world.pass(graceMs + HOUR_MS)
    const { removed } = await sweep(world.store, graceMs)
    expect(removed).toHaveLength(2)
  })
  expect(isCommitted).toBe(false)
  await expectAllOrNone(false, 'after the sweep')
})

test('one who waits for long without a sweep commits all of them', async () => {
  await prepare()
  expect(await writeAll(world.store, async () => world.pass(30 * DAY_MS))).toBe(true)
  await sweep(world.store)
  await expectAllOrNone(true, 'after the sweep')
})

test.each([{}, { idempotencyKey: 'monday' }])('a whole sweep before each call of the writer %o', async key => {
  const outcomes = new Set<boolean>()
  for (let at = 0, hasHappened = true; hasHappened; at++) {
    await prepare()
    const own = interrupted(world.store, { at, happen: () => sweep(world.store) })
    const isCommitted = await writeAll(own.store, async () => world.pass(2 * DAY_MS), key)
    hasHappened = own.hasHappened()
    outcomes.add(isCommitted)
    await expectAllOrNone(isCommitted, `call ${at}`)
  }
  expect(outcomes).toEqual(new Set([false, true]))
})

/** A writer that has written all but the last partition, and goes on when it is told to. */
async function halfWritten(key: object): Promise<() => Promise<boolean>> {
  let goOn = (): void => undefined
  const told = new Promise<void>(resolve => {
    goOn = resolve
  })
  let outcome: Promise<boolean> | undefined
  await new Promise<void>(reached => {
    outcome = writeAll(
      world.store,
      async () => {
        reached()
        await told
      },
      key,
    )
  })
  world.pass(2 * DAY_MS)
  return async () => {
    goOn()
    return (await outcome) === true
  }
}

test.each([{}, { idempotencyKey: 'monday' }])('the rest of the writer before each call of a sweep %o', async key => {
  const outcomes = new Set<boolean>()
  for (let at = 0; ; at++) {
    await prepare()
    const finish = await halfWritten(key)
    let isCommitted = false
    const happen = async (): Promise<void> => {
      isCommitted = await finish()
    }
    const own = interrupted(world.store, { at, happen })
    await sweep(own.store)
    if (!own.hasHappened()) break
    outcomes.add(isCommitted)
    await expectAllOrNone(isCommitted, `call ${at}`)
  }
  expect(outcomes).toEqual(new Set([false, true]))
})

test('a sweep that died anywhere, then the rest of the writer, then another sweep', async () => {
  const outcomes = new Set<boolean>()
  for (let call = 0, isAlive = false; !isAlive; call++) {
    await prepare()
    const finish = await halfWritten({})
    kill.at(call)
    isAlive = await sweep(world.store).then(
      () => true,
      () => false,
    )
    kill.never()
    const isCommitted = await finish()
    outcomes.add(isCommitted)
    await sweep(world.store)
    await expectAllOrNone(isCommitted, `dead at ${call}`)
  }
  expect(outcomes).toEqual(new Set([false, true]))
})

test('a hold of a writer that died is over after an hour, and the sweep takes what it wrote', async () => {
  await prepare()
  const store: CatalogStore = { ...world.store, createAll: async () => Promise.reject(new Error('killed')) }
  await expect(writeAll(store, async () => world.pass(2 * DAY_MS))).rejects.toThrow('killed')
  expect((await sweep(world.store)).removed).toEqual([])
  world.pass(2 * DAY_MS)
  expect((await sweep(world.store)).removed).toHaveLength(3)
})
