// Which batches lose their bytes, that nobody who relies on one is left without it, and that a run may die anywhere.
import { beforeEach, describe, expect, test } from 'vitest'
import { findRetention, type RetentionPolicy, setRetention } from '../../src/catalog/retention.ts'
import { runRetention } from '../../src/catalog/run-retention.ts'
import { INPUTS_IN_ITEM_MAX } from '../../src/catalog/store-batch.ts'
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts'
import { DAY, REASON, textOf, USERS } from './factories.ts'
import { killing, type MaintenanceWorld, newMaintenanceWorld, NEXT, overwrites, readAll } from './maintenance-world.ts'

const MODELS = { db: 'models', table: 'churn' }
const WHY = { who: 'ops', why: 'storage' }

let world: MaintenanceWorld
let ids: string[] = []
beforeEach(async () => {
  world = await newMaintenanceWorld()
  ids = await overwrites(world, 5)
})

const idOf = (index: number): string => ids[index] ?? ''
const retain = (policy: RetentionPolicy, change: Partial<Parameters<typeof runRetention>[2]> = {}) =>
  runRetention(world, USERS, { policy, ...WHY, pinnedBy: [], isDryRun: false, ...change })

describe('keeps', () => {
  test('the newest by when they were last made current, and says who let the others go', async () => {
    await world.catalog.rollback(DAY, { to: idOf(0), ...REASON })
    const report = await retain({ keepBatches: 2 })
    expect(report).toMatchObject({ batches: 5, kept: { current: 1, newest: 1 }, returned: [], left: 0 })
    expect(report.purged.map(({ batchId }) => batchId)).toEqual([idOf(1), idOf(2), idOf(3)])
    expect(report.purged[0]).toMatchObject({ partition: DAY.partition, rows: 2, objects: 3 })
    expect(await readAll(world, ids)).toEqual([
      '0,0 again',
      'batch-purged',
      'batch-purged',
      'batch-purged',
      '4,4 again',
    ])
    await expect(world.catalog.load(DAY, idOf(2))).rejects.toMatchObject({
      message: expect.stringContaining('ops: storage'),
    })
    expect(await world.catalog.batch(DAY, idOf(2))).toMatchObject({ state: 'purged', purged: WHY, rows: 2 })
    expect(world.receipts.map(receipt => receipt.map(({ key }) => key))).toEqual([
      [1, 2, 3].flatMap(index =>
        ['manifest.json', 'part-00000.ndjson.gz', 'part-00001.ndjson.gz'].map(
          name => `shop/users/${DAY.partition}/${idOf(index)}/${name}`,
        ),
      ),
    ])
    expect([...world.objects.objects.keys()].filter(key => key.includes(idOf(1)))).toEqual([])
    expect((await retain({ keepBatches: 2 })).purged).toEqual([])
    expect(world.receipts).toHaveLength(1)
  })

  test('what was current within a time, whenever it was begun', async () => {
    world.pass(30 * DAY_MS)
    ids.push(await world.add(DAY.partition, 'new'))
    world.pass(DAY_MS)
    // The fifth was current until a day ago.
    expect(await retain({ keepMs: 2 * DAY_MS })).toMatchObject({ kept: { current: 1, recent: 1 } })
    expect(await readAll(world, ids)).toEqual([...Array(4).fill('batch-purged'), '4,4 again', 'new'])
    world.pass(2 * DAY_MS)
    expect(await retain({ keepMs: 2 * DAY_MS, keepBatches: 2 })).toMatchObject({ kept: { current: 1, newest: 1 } })
  })

  test('all where nobody says what to keep', async () => {
    expect(await retain({})).toMatchObject({ batches: 5, purged: [], kept: { current: 1, newest: 4 } })
  })

  test('what is current or anchored in any partition, and the inputs of models', async () => {
    await world.catalog.promote(DAY, NEXT, { batchId: idOf(0), ...REASON })
    await world.catalog.promote(DAY, NEXT, { batchId: idOf(1), ...REASON })
    await world.catalog.anchor(NEXT, { anchor: 'report', batchId: idOf(0), ...REASON })
    await world.catalog.createTable(MODELS, { columns: [], format: 'zip', owner: 'ana' })
    const inputs = [{ table: 'shop.users', partition: DAY.partition, batchId: idOf(3) }]
    await world.catalog.store({ ...MODELS, partition: 'staging' }, { parts: [], inputs, ...REASON })
    world.pass(2 * HOUR_MS)
    const report = await retain({ keepBatches: 1 }, { pinnedBy: [MODELS] })
    expect(report.kept).toEqual({ current: 2, anchored: 1, pinned: 1 })
    expect(report.purged.map(({ batchId }) => batchId)).toEqual([idOf(2)])
    expect(await readAll(world, [idOf(0), idOf(1)], NEXT)).toEqual(['0,0 again', '1,1 again'])
    await world.catalog.release(NEXT, { anchor: 'report', ...REASON })
    await retain({ keepBatches: 1 })
    expect(await readAll(world, [idOf(0), idOf(1)], NEXT)).toEqual(['batch-purged', '1,1 again'])
    expect(await readAll(world, [idOf(0), idOf(3)])).toEqual(['batch-purged', 'batch-purged'])
    expect(await world.catalog.batch(NEXT, idOf(0))).toMatchObject({ state: 'purged', purged: WHY })
  })

  test('the inputs that only the manifest of a model names, and lets nothing go while that cannot be read', async () => {
    await world.catalog.createTable(MODELS, { columns: [], format: 'zip', owner: 'ana' })
    const hour = { table: 'shop.hours', partition: 'all', batchId: idOf(0) }
    const inputs = [
      ...Array.from({ length: INPUTS_IN_ITEM_MAX }, () => hour),
      { table: 'shop.users', partition: DAY.partition, batchId: idOf(3) },
    ]
    const model = await world.catalog.store({ ...MODELS, partition: 'staging' }, { parts: [], inputs, ...REASON })
    const { manifestKey } = await world.catalog.batch({ ...MODELS, partition: 'staging' }, model.batchId)
    const manifest = world.objects.objects.get(manifestKey)
    if (manifest === undefined) throw new Error('The model has no manifest')
    world.objects.objects.delete(manifestKey)
    await expect(retain({ keepBatches: 1 }, { pinnedBy: [MODELS] })).rejects.toMatchObject({ code: 'batch-damaged' })
    world.objects.objects.set(manifestKey, manifest)
    const report = await retain({ keepBatches: 1 }, { pinnedBy: [MODELS] })
    expect(report).toMatchObject({ kept: { current: 1, pinned: 1 } })
    expect(report.purged.map(({ batchId }) => batchId)).toEqual([idOf(0), idOf(1), idOf(2)])
  })

  test('a batch for an hour after somebody made it current', async () => {
    await world.catalog.rollback(DAY, { to: idOf(0), ...REASON })
    await world.catalog.rollback(DAY, { to: idOf(4), ...REASON })
    expect((await retain({ keepBatches: 1 })).kept).toEqual({ current: 1, held: 1 })
    world.pass(HOUR_MS)
    expect((await retain({ keepBatches: 1 })).purged.map(({ batchId }) => batchId)).toEqual([idOf(0)])
  })
})

test('says what it would remove, and writes nothing', async () => {
  const items = structuredClone([...world.store.items])
  const report = await retain({ keepBatches: 3 }, { isDryRun: true })
  expect(report).toMatchObject({ batches: 5, purged: [{ batchId: idOf(0), objects: 3 }, { batchId: idOf(1) }] })
  expect(report.purged[0]?.bytes).toBeGreaterThan(100)
  expect([...world.store.items]).toEqual(items)
  expect(world.receipts).toEqual([])
  expect(await readAll(world, ids)).not.toContain('batch-purged')
})

test('takes no more than it has room for', async () => {
  expect(await retain({ keepBatches: 1 }, { batchesMax: 3 })).toMatchObject({ left: 1 })
  expect(await retain({ keepBatches: 1 }, { batchesMax: 3 })).toMatchObject({ left: 0, purged: [{ batchId: idOf(3) }] })
})

test('a batch that is gone is not made current, promoted or anchored', async () => {
  await retain({ keepBatches: 1 })
  const gone = { code: 'batch-purged', batchId: idOf(0) }
  await expect(world.catalog.planRollback(DAY, idOf(0))).rejects.toMatchObject(gone)
  await expect(world.catalog.rollback(DAY, { to: idOf(0), ...REASON })).rejects.toMatchObject(gone)
  await expect(world.catalog.promote(DAY, NEXT, { batchId: idOf(0), ...REASON })).rejects.toMatchObject(gone)
  await expect(world.catalog.anchor(DAY, { anchor: 'a', batchId: idOf(0), ...REASON })).rejects.toMatchObject(gone)
})

test('a reader who was in the middle of it is told that it was purged, and not that it is damaged', async () => {
  const batch = await world.catalog.load(DAY, idOf(0))
  const parts = batch.parts()[Symbol.asyncIterator]()
  expect((await parts.next()).done).toBe(false)
  await retain({ keepBatches: 1 })
  await expect(parts.next()).rejects.toMatchObject({ code: 'batch-purged' })
  const [part] = batch.manifest.parts
  if (part === undefined) throw new Error('no part')
  await expect(world.catalog.loadPart(batch.record, part)).rejects.toMatchObject({ code: 'batch-purged' })
  // One that is gone for another reason is damage.
  const current = await world.catalog.load(DAY)
  world.objects.objects.delete(`${current.record.location}part-00000.ndjson.gz`)
  await expect(textOf(current)).rejects.toMatchObject({ code: 'batch-damaged' })
})

test('killed at any step, it leaves whole batches or purged ones, and the next run ends it', async () => {
  const kill = killing()
  for (let call = 0, isDone = false; !isDone; call++) {
    kill.never()
    world = await newMaintenanceWorld(kill.fault)
    ids = await overwrites(world, 3)
    await world.catalog.promote(DAY, NEXT, { batchId: idOf(0), ...REASON })
    await world.catalog.promote(DAY, NEXT, { batchId: idOf(2), ...REASON })
    world.pass(2 * HOUR_MS)
    kill.at(call)
    isDone = await retain({ keepBatches: 1 }).then(
      () => true,
      () => false,
    )
    kill.never()
    const seen = [...(await readAll(world, ids)), ...(await readAll(world, [idOf(0), idOf(2)], NEXT))]
    const expected = ['0,0 again', '1,1 again', '2,2 again', '0,0 again', '2,2 again']
    for (const [index, text] of seen.entries())
      expect(['batch-purged', expected[index]], `call ${call}`).toContain(text)
    expect([seen[2], seen[4]]).toEqual(['2,2 again', '2,2 again'])
    await retain({ keepBatches: 1 })
    expect(await readAll(world, ids), `call ${call}`).toEqual(['batch-purged', 'batch-purged', '2,2 again'])
    expect(await readAll(world, [idOf(0)], NEXT), `call ${call}`).toEqual(['batch-purged'])
    expect(
      [...world.objects.objects.keys()].every(key => key.includes(idOf(2))),
      `call ${call}`,
    ).toBe(true)
    expect(world.objects.objects.size).toBe(3)
    // Whatever was removed is in a receipt.
    expect(new Set(world.receipts.flat().map(({ key }) => key)).size, `call ${call}`).toBe(6)
    expect((await retain({ keepBatches: 1 })).purged).toEqual([])
    if (call > 1_000) throw new Error('It never ends')
  }
})

test('a note that a run which died has left is taken back where the batch is wanted again', async () => {
  const kill = killing()
  let withdrawn = 0
  for (let call = 0, isDone = false; !isDone; call++) {
    kill.never()
    world = await newMaintenanceWorld(kill.fault)
    ids = await overwrites(world, 2)
    kill.at(call)
    isDone = await retain({ keepBatches: 1 }).then(
      () => true,
      () => false,
    )
    kill.never()
    const isNoted = (await world.catalog.batch(DAY, idOf(0))).purged !== undefined
    await retain({ keepBatches: 5 })
    const { state, purged } = await world.catalog.batch(DAY, idOf(0))
    if (isNoted && state === 'hot') withdrawn++
    expect(state === 'hot' ? purged : undefined).toBeUndefined()
    const expected = state === 'hot' ? '0,0 again' : 'batch-purged'
    expect(await readAll(world, [idOf(0)])).toEqual([expected])
  }
  expect(withdrawn).toBeGreaterThan(0)
})

describe('a policy', () => {
  test('is written down with who and why, and the newest is in force', async () => {
    expect(await findRetention(world.store, USERS)).toBeUndefined()
    await setRetention(world, USERS, { keepBatches: 30, ...WHY })
    await setRetention(world, USERS, { keepMs: 90 * DAY_MS, ...WHY })
    expect(await findRetention(world.store, USERS)).toMatchObject({ number: 2, keepMs: 90 * DAY_MS, ...WHY })
    expect((await findRetention(world.store, USERS))?.keepBatches).toBeUndefined()
  })

  test('keeps at least one batch, is of a table that is there, and of none whose batches say what was done', async () => {
    const set = (policy: RetentionPolicy, ref = USERS) => setRetention(world, ref, { ...policy, ...WHY })
    await expect(set({ keepBatches: 0 })).rejects.toMatchObject({ code: 'retention-invalid' })
    await expect(set({ keepMs: 0.5 })).rejects.toMatchObject({ code: 'retention-invalid' })
    await expect(set({ keepBatches: 1 }, { db: 'shop', table: 'none' })).rejects.toMatchObject({
      code: 'table-not-found',
    })
    await expect(set({ keepBatches: 1 }, { db: 'removals', table: 'shop' })).rejects.toMatchObject({
      code: 'retention-refused',
    })
  })
})
