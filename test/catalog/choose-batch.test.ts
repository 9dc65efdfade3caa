// Which batch a reader gets: current, by ID, by anchor, or as of an instant.
import { beforeEach, expect, test } from 'vitest'
import type { LogEntry } from '../../src/catalog/items.ts'
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

let world: CatalogWorld
let entries: LogEntry[] = []
beforeEach(async () => {
  world = catalogWorld()
  await world.catalog.createTable(USERS, PLAIN)
  entries = []
  for (const text of ['a', 'b', 'c']) entries.push(await store(text))
})

const store = (text: string) => world.catalog.store(DAY, { parts: textParts(text), ...REASON })
const load = async (choice?: Parameters<CatalogWorld['catalog']['load']>[1]) =>
  textOf(await world.catalog.load(DAY, choice))
const idOf = (index: number): string => entries[index]?.batchId ?? ''
const atOf = (index: number): number => entries[index]?.at ?? 0

test('is the current one, or what was current at an instant of commit time', async () => {
  expect(await load()).toEqual(['c'])
  expect(await load({ asOfMs: atOf(2) })).toEqual(['c'])
  expect(await load({ asOfMs: atOf(2) - 1 })).toEqual(['b'])
  expect(await load({ asOfMs: atOf(0) })).toEqual(['a'])
  await expect(load({ asOfMs: atOf(0) - 1 })).rejects.toMatchObject({ code: 'partition-empty' })
  const back = await world.catalog.rollback(DAY, { to: idOf(0), ...REASON })
  expect(await load({ asOfMs: back.at - 1 })).toEqual(['c'])
  expect(await load({ asOfMs: back.at })).toEqual(['a'])
})

test('never goes back in commit time, though the next writer’s clock is slow', async () => {
  // A clock of its own that begins where the first one began.
  const slow = catalogOver(world.store, world.objects)
  await slow.store(DAY, { parts: textParts('d'), ...REASON })
  const history = await world.catalog.history(DAY)
  expect(history.map(entry => entry.at)).toEqual(history.map(entry => entry.at).toSorted((a, b) => b - a))
  expect(await load({ asOfMs: history[0]?.at ?? 0 })).toEqual(['d'])
})

test('is the one that an anchor holds, whatever is committed after it', async () => {
  const anchored = await world.catalog.anchor(DAY, { anchor: 'report', batchId: idOf(1), ...REASON })
  expect(anchored).toMatchObject({ batchId: idOf(1), anchors: { report: REASON }, revision: 1 })
  await store('d')
  expect(await load({ anchor: 'report' })).toEqual(['b'])
  expect(await world.catalog.batch(DAY, idOf(1))).toEqual(anchored)
  await expect(world.catalog.anchor(DAY, { anchor: 'report', ...REASON })).rejects.toMatchObject({
    code: 'anchor-taken',
    batchId: idOf(1),
  })
  expect(await world.catalog.anchor(DAY, { anchor: 'report', batchId: idOf(1), ...REASON })).toEqual(anchored)
  expect(await world.catalog.release(DAY, { anchor: 'report', ...REASON })).toMatchObject({
    batchId: idOf(1),
    anchors: {},
  })
  await expect(load({ anchor: 'report' })).rejects.toMatchObject({ code: 'anchor-not-found' })
  await expect(world.catalog.release(DAY, { anchor: 'report', ...REASON })).rejects.toMatchObject({
    code: 'anchor-not-found',
  })
})

test('keeps every anchor of those that come at once', async () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  await Promise.all(names.map(anchor => world.catalog.anchor(DAY, { anchor, batchId: idOf(0), ...REASON })))
  const { anchors } = await world.catalog.batch(DAY, idOf(0))
  expect(Object.keys(anchors ?? {}).toSorted()).toEqual(names)
})

test('lets one name anchor one batch at most, whoever comes at once', async () => {
  const outcomes = await Promise.allSettled(
    [0, 1, 2].map(index => world.catalog.anchor(DAY, { anchor: 'report', batchId: idOf(index), ...REASON })),
  )
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'anchor-taken' })
  }
  const anchored = await Promise.all([0, 1, 2].map(index => world.catalog.batch(DAY, idOf(index))))
  const names = anchored.flatMap(({ anchors }) => Object.keys(anchors ?? {}))
  expect(names).toHaveLength(outcomes.filter(({ status }) => status === 'fulfilled').length)
  expect(names.length).toBeLessThanOrEqual(1)
  await world.catalog.anchor(DAY, { anchor: 'other', batchId: idOf(0), ...REASON })
})

test('refuses two answers to one question, names that are none, and batches that are not there', async () => {
  await expect(load({ anchor: 'report', batchId: idOf(0) })).rejects.toMatchObject({ code: 'choice-ambiguous' })
  await expect(load({ anchor: 'Report!' })).rejects.toMatchObject({ code: 'name-invalid' })
  const elsewhere = { ...DAY, partition: 'other' }
  await expect(world.catalog.anchor(elsewhere, { anchor: 'report', ...REASON })).rejects.toMatchObject({
    code: 'partition-empty',
  })
})

test('keeps what a later release wrote into the batch item', async () => {
  const key = [...world.store.items.keys()].find(sk => sk.endsWith(`#${idOf(0)}`)) ?? ''
  const item = world.store.items.get(key)
  if (item === undefined) throw new Error('no batch item')
  world.store.items.set(key, { ...item, attributes: { ...item.attributes, later: { x: 1 } } })
  await world.catalog.anchor(DAY, { anchor: 'report', batchId: idOf(0), ...REASON })
  expect(world.store.items.get(key)?.attributes).toMatchObject({ later: { x: 1 }, revision: 1 })
})

test('leaves the anchors of a batch with the partition that they were set in', async () => {
  await world.catalog.anchor(DAY, { anchor: 'report', batchId: idOf(1), ...REASON })
  const other = { ...DAY, partition: 'other' }
  await world.catalog.promote(DAY, other, { batchId: idOf(1), ...REASON })
  expect((await world.catalog.batch(other, idOf(1))).anchors).toBeUndefined()
})
