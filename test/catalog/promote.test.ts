// One batch in several partitions, and batches that must not be used again.
import { beforeEach, expect, test } from 'vitest'
import { type CatalogWorld, catalogWorld, DAY, PLAIN, REASON, textOf, textParts, USERS } from './factories.ts'

const NEXT = { ...USERS, partition: 'date=2001-07-01' }

let world: CatalogWorld
let batchId = ''
beforeEach(async () => {
  world = catalogWorld()
  await world.catalog.createTable(USERS, PLAIN)
  batchId = (await world.catalog.store(DAY, { parts: textParts('a', 'b'), ...REASON })).batchId
})

const promote = () => world.catalog.promote(DAY, NEXT, { batchId, who: 'bob', why: 'better' })

test('makes a batch current in another partition under its own name, and moves no byte', async () => {
  const objects = [...world.objects.objects.keys()]
  expect(await world.catalog.planPromote(DAY, NEXT, batchId)).toMatchObject({ record: { batchId }, current: undefined })
  expect(await world.catalog.current(NEXT)).toBeUndefined()
  expect(await promote()).toMatchObject({ kind: 'promote', batchId, number: 1, who: 'bob', why: 'better' })
  expect([...world.objects.objects.keys()]).toEqual(objects)
  expect(await textOf(await world.catalog.load(NEXT))).toEqual(['a', 'b'])
  expect((await world.catalog.batch(NEXT, batchId)).location).toContain(DAY.partition)
})

test('says that it is current already, and comes back to one that was promoted before', async () => {
  await promote()
  await expect(promote()).rejects.toMatchObject({ code: 'already-current', batchId })
  await world.catalog.store(NEXT, { parts: textParts('other'), ...REASON })
  expect(await promote()).toMatchObject({ number: 3, batchId })
  expect(await textOf(await world.catalog.load(NEXT))).toEqual(['a', 'b'])
})

test('refuses what was never committed there, another table, and a batch of other bytes under the name', async () => {
  const other = { ...DAY, table: 'orders' }
  await expect(world.catalog.promote(NEXT, DAY, { batchId, ...REASON })).rejects.toMatchObject({
    code: 'batch-not-found',
  })
  await expect(world.catalog.promote(DAY, other, { batchId, ...REASON })).rejects.toMatchObject({
    code: 'table-differs',
  })
  await world.catalog.store(NEXT, { parts: textParts('else'), batchId, ...REASON })
  await world.catalog.store(NEXT, { parts: textParts('newest'), ...REASON })
  await expect(promote()).rejects.toMatchObject({ code: 'batch-exists' })
})

test('killed at any instant of a promotion, nothing is visible but the whole of it, and it can be done again', async () => {
  let left = Number.POSITIVE_INFINITY
  const fault = () => {
    if (left-- <= 0) throw new Error('killed')
  }
  for (let instant = 0, isDone = false; !isDone; instant++) {
    left = Number.POSITIVE_INFINITY
    world = catalogWorld({ fault })
    await world.catalog.createTable(USERS, PLAIN)
    batchId = (await world.catalog.store(DAY, { parts: textParts('a', 'b'), ...REASON })).batchId
    left = instant
    isDone = await promote().then(
      () => true,
      () => false,
    )
    left = Number.POSITIVE_INFINITY
    const seen = await world.catalog.current(NEXT)
    if (seen === undefined) {
      await expect(world.catalog.load(NEXT, batchId)).rejects.toMatchObject({ code: 'batch-not-found' })
      expect(await promote()).toMatchObject({ batchId })
    }
    expect(await textOf(await world.catalog.load(NEXT))).toEqual(['a', 'b'])
    expect(instant).toBeLessThan(100)
  }
})

test('ends what a writer of the same parts under the same name has begun, and refuses other parts', async () => {
  let left = Number.POSITIVE_INFINITY
  const fault = () => {
    if (left-- <= 0) throw new Error('killed')
  }
  const own = '20010701000000-00000000'
  const store = (...texts: string[]) =>
    world.catalog.store(DAY, { parts: textParts(...texts), batchId: own, ...REASON })
  for (let instant = 0, isDone = false; !isDone; instant++) {
    left = Number.POSITIVE_INFINITY
    world = catalogWorld({ fault })
    await world.catalog.createTable(USERS, PLAIN)
    left = instant
    isDone = await store('own', 'all').then(
      () => true,
      () => false,
    )
    left = Number.POSITIVE_INFINITY
    expect(await store('own', 'all')).toMatchObject({ batchId: own })
    await expect(store('other')).rejects.toMatchObject({ code: 'batch-exists' })
    await expect(store('own')).rejects.toMatchObject({ code: 'batch-exists' })
    expect(await textOf(await world.catalog.load(DAY, own))).toEqual(['own', 'all'])
    expect(instant).toBeLessThan(100)
  }
})

test('a yanked batch is kept and read, and nothing makes it current again', async () => {
  await world.catalog.store(DAY, { parts: textParts('next'), ...REASON })
  expect(await world.catalog.yanked(USERS, batchId)).toBeUndefined()
  const yank = await world.catalog.yank(USERS, { batchId, who: 'bob', why: 'trained on test data' })
  expect(yank).toMatchObject({ batchId, who: 'bob', why: 'trained on test data' })
  expect(await world.catalog.yank(USERS, { batchId, who: 'eve', why: 'again' })).toEqual(yank)
  expect(await world.catalog.yanked(USERS, batchId)).toEqual(yank)
  expect([...(await world.catalog.yanks(USERS)).keys()]).toEqual([batchId])
  const refused = { code: 'batch-yanked', batchId, message: expect.stringContaining('trained on test data') }
  await expect(promote()).rejects.toMatchObject(refused)
  await expect(world.catalog.rollback(DAY, { to: batchId, ...REASON })).rejects.toMatchObject(refused)
  await expect(world.catalog.store(DAY, { parts: textParts('a', 'b'), batchId, ...REASON })).rejects.toMatchObject(
    refused,
  )
  expect(await textOf(await world.catalog.load(DAY, batchId))).toEqual(['a', 'b'])
})

test('what is current anywhere, or nowhere to be found, is not yanked', async () => {
  const yank = () => world.catalog.yank(USERS, { batchId, ...REASON })
  await promote()
  await world.catalog.store(DAY, { parts: textParts('next'), ...REASON })
  await expect(yank()).rejects.toMatchObject({
    code: 'batch-current',
    message: expect.stringContaining(NEXT.partition),
  })
  await world.catalog.store(NEXT, { parts: textParts('next'), ...REASON })
  expect(await yank()).toMatchObject({ batchId })
  const never = '20010101000000-00000000'
  await expect(world.catalog.yank(USERS, { batchId: never, ...REASON })).rejects.toMatchObject({
    code: 'batch-not-found',
  })
})
