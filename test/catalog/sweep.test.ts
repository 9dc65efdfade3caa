// What a writer that died has left is found and removed when asked, and nothing that anybody needs or is still writing.
import { beforeEach, describe, expect, test } from 'vitest'
import { newBatchId } from '../../src/catalog/batch-id.ts'
import { batchLocation } from '../../src/catalog/layout.ts'
import { SWEEP_GRACE_MS, sweepTable } from '../../src/catalog/sweep.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { DAY, REASON, START_MS, textOf, textParts, USERS } from './factories.ts'
import { killing, type MaintenanceWorld, newMaintenanceWorld } from './maintenance-world.ts'

const OLD = newBatchId(START_MS, seededRandom(5))
const kill = killing()

let world: MaintenanceWorld
beforeEach(async () => {
  kill.never()
  world = await newMaintenanceWorld(kill.fault)
})

const sweep = (change: Partial<Parameters<typeof sweepTable>[2]> = {}) =>
  sweepTable(world, USERS, { graceMs: SWEEP_GRACE_MS, isDeleting: true, who: 'ops', why: 'sweep', ...change })
const keys = () => [...world.objects.objects.keys()]
const put = (key: string) => world.objects.create(key, new TextEncoder().encode(key))
const store = (batchId: string, ref = DAY) =>
  world.catalog.store(ref, { parts: textParts('a', 'b'), batchId, ...REASON })

/** A writer of OLD that dies at its call of this number; whether it was done. */
async function dieAt(call: number): Promise<boolean> {
  kill.at(call)
  const isDone = await store(OLD).then(
    () => true,
    () => false,
  )
  kill.never()
  return isDone
}

test('of a writer that died at any step nothing is left, and what was committed is whole', async () => {
  const kinds = new Set<string>()
  for (let call = 0, isDone = false; !isDone; call++) {
    world = await newMaintenanceWorld(kill.fault)
    const kept = await world.add(DAY.partition, 'kept')
    isDone = await dieAt(call)
    const isCommitted = (await world.catalog.history(DAY)).some(({ batchId }) => batchId === OLD)
    const young = await sweep()
    expect(young, `call ${call}`).toMatchObject({ orphans: [], removed: [] })
    world.pass(2 * DAY_MS)
    const seen = await sweep({ isDeleting: false })
    for (const { kind } of seen.orphans) kinds.add(kind)
    expect(await sweep()).toMatchObject({ orphans: seen.orphans, returned: [] })
    expect(
      keys().some(key => key.includes(OLD)),
      `call ${call}`,
    ).toBe(isCommitted)
    expect(await textOf(await world.catalog.load(DAY, kept))).toEqual(['kept'])
    if (isCommitted) expect(await textOf(await world.catalog.load(DAY, OLD))).toEqual(['a', 'b'])
    expect(world.receipts.flat().map(({ key }) => key)).toHaveLength(
      seen.orphans.reduce((sum, { objects }) => sum + objects, 0),
    )
    expect(await sweep()).toMatchObject({ orphans: [], removed: [] })
    // Who wakes up after all is refused, and not half of a batch.
    if (!isCommitted && seen.orphans.length > 0) {
      await expect(store(OLD), `call ${call}`).rejects.toMatchObject({ code: 'batch-purged' })
    }
    if (call > 200) throw new Error('It never ends')
  }
  expect([...kinds].toSorted((a, b) => a.localeCompare(b))).toEqual(['no-item', 'not-committed'])
})

test('killed at any step, the next sweep ends it', async () => {
  for (let call = 0, isDone = false; !isDone; call++) {
    world = await newMaintenanceWorld(kill.fault)
    const orphan = `${batchLocation(DAY, OLD)}part-00000.ndjson.gz`
    await put(orphan)
    // Dies right before the log.
    const half = newBatchId(START_MS, seededRandom(6))
    await store(half)
    for (const key of world.store.items.keys()) if (key.includes('log#')) world.store.items.delete(key)
    world.pass(2 * DAY_MS)
    kill.at(call)
    isDone = await sweep().then(
      () => true,
      () => false,
    )
    kill.never()
    await sweep()
    expect(keys(), `call ${call}`).toEqual([])
    expect(world.receipts.flat().map(({ key }) => key)).toContain(orphan)
    if (call > 200) throw new Error('It never ends')
  }
})

describe('leaves alone', () => {
  test('what is not old enough: its youngest object says how old', async () => {
    const location = batchLocation(DAY, OLD)
    await put(`${location}part-00000.ndjson.gz`)
    world.pass(2 * DAY_MS)
    await put(`${location}part-00001.ndjson.gz`)
    expect(await sweep()).toMatchObject({ orphans: [], young: 1 })
    expect((await sweep({ graceMs: 0 })).removed).toMatchObject([{ batchId: OLD, objects: 2 }])
  })

  test('everything, where it is not told to delete', async () => {
    await put(`${batchLocation(DAY, OLD)}part-00000.ndjson.gz`)
    world.pass(2 * DAY_MS)
    const [items, before] = [world.store.items.size, keys()]
    expect(await sweep({ isDeleting: false })).toMatchObject({
      objects: 1,
      orphans: [{ partition: DAY.partition, batchId: OLD, kind: 'no-item', objects: 1 }],
      removed: [],
    })
    expect([world.store.items.size, keys()]).toEqual([items, before])
  })

  test('what was promoted, rolled back from or superseded', async () => {
    const first = await world.add(DAY.partition, 'first')
    await world.add(DAY.partition, 'second')
    const next = { ...USERS, partition: 'next' }
    await world.catalog.promote(DAY, next, { batchId: first, ...REASON })
    // Of the partition that it was stored in no entry is left that names it.
    for (const key of world.store.items.keys()) if (key.includes(`log#${DAY.partition}#`)) world.store.items.delete(key)
    world.pass(2 * DAY_MS)
    expect((await sweep()).removed).toHaveLength(1)
    expect(await textOf(await world.catalog.load(next))).toEqual(['first'])
  })

  test('what a repeated store with the same key has ended', async () => {
    const input = { parts: textParts('a', 'b'), idempotencyKey: 'monday', ...REASON }
    // Dies with everything there but the log entry.
    for (let call = 0; ![...world.store.items.keys()].some(key => key.includes('batch#')); call++) {
      kill.at(call)
      await world.catalog.store(DAY, input).catch(() => undefined)
      kill.never()
      if (call > 200) throw new Error('It never begins')
    }
    world.pass(2 * DAY_MS)
    expect(await sweep({ isDeleting: false })).toMatchObject({ orphans: [{ kind: 'not-committed' }] })
    await world.catalog.store(DAY, input)
    expect(await sweep()).toMatchObject({ orphans: [], removed: [] })
    expect(await textOf(await world.catalog.load(DAY))).toEqual(['a', 'b'])
  })

  test('what is no object of a batch, and the batches of other tables', async () => {
    const strange = ['shop/users/notes.txt', `shop/users/${DAY.partition}/latest/part-00000.ndjson.gz`]
    const others = [`shop/users2/${DAY.partition}/${OLD}/part-00000.ndjson.gz`]
    for (const key of [...strange, ...others]) await put(key)
    world.pass(2 * DAY_MS)
    expect(await sweep()).toMatchObject({ objects: 2, strangers: strange.toSorted(), orphans: [] })
    expect(keys()).toHaveLength(3)
  })

  test('a batch whose partition goes on with the name of an orphan', async () => {
    const deeper = { ...USERS, partition: `${DAY.partition}/${OLD}` }
    const batchId = await world.add(deeper.partition, 'deeper')
    await put(`${batchLocation(DAY, OLD)}part-00000.ndjson.gz`)
    world.pass(2 * DAY_MS)
    expect((await sweep()).removed).toMatchObject([{ partition: DAY.partition, batchId: OLD, objects: 1 }])
    expect(await textOf(await world.catalog.load(deeper, batchId))).toEqual(['deeper'])
  })
})

test('removes what came back after a purge', async () => {
  await put(`${batchLocation(DAY, OLD)}part-00000.ndjson.gz`)
  world.pass(2 * DAY_MS)
  await sweep()
  await put(`${batchLocation(DAY, OLD)}part-00001.ndjson.gz`)
  world.pass(2 * DAY_MS)
  expect((await sweep()).orphans).toMatchObject([{ kind: 'purged', objects: 1 }])
  expect(keys()).toEqual([])
})
