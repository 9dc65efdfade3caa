// Who relied on a batch that had the user hears which one has its other rows, and at every instant the partition is as it was.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { currentEntry, readLogAsOf } from '../../src/catalog/commit-log.ts'
import { batchSortKey } from '../../src/catalog/layout.ts'
import { loadRows, storeRows } from '../../src/catalog/table-rows.ts'
import { CatalogError } from '../../src/catalog/errors.ts'
import type { PartitionRef } from '../../src/catalog/names.ts'
import { collect } from '../archive/factories.ts'
import { type ForgetWorld, forgetWorld, REASON } from './forget-world.ts'

const ID = 'erin'
const table = { db: 'team', table: 'scores' }
const monday = { ...table, partition: 'day=1' }
const tuesday = { ...table, partition: 'day=2' }

interface Stored {
  readonly world: ForgetWorld
  readonly overwritten: string
  readonly anchored: string
  readonly mondays: string
  readonly tuesdays: string
  readonly beforeMs: number
}

/** Monday has a batch that was overwritten, one that is anchored and the current one, which has her no more. */
async function stored(): Promise<Stored> {
  const world = forgetWorld()
  await world.catalog.createTable(monday, {
    columns: [{ name: 'user_id', type: 'string' }],
    format: 'parquet',
    owner: 'team',
  })
  const put = async (ref: PartitionRef, ids: readonly string[]): Promise<string> =>
    (await storeRows(world.catalog, ref, { rows: ids.map(id => ({ user_id: id })), ...REASON })).batchId
  const overwritten = await put(monday, [ID, 'old'])
  const anchored = await put(monday, [ID, 'bob'])
  await world.catalog.anchor(monday, { anchor: 'report', batchId: anchored, ...REASON })
  const mondays = await put(monday, ['carl'])
  const tuesdays = await put(tuesday, [ID, 'dora'])
  return { world, overwritten, anchored, mondays, tuesdays, beforeMs: world.time.nowMs }
}

const idsOf = async ({ catalog }: ForgetWorld, ref: PartitionRef, choice?: { readonly anchor: string }) =>
  (await collect(loadRows(catalog, ref, choice))).map(row => row['user_id'])

describe('a reader of a batch from which somebody was forgotten', () => {
  let all: Stored
  beforeAll(async () => {
    all = await stored()
    expect(await all.world.forget({ userId: ID })).toMatchObject({ isComplete: true })
  })
  afterAll(() => all.world.remove())

  it('is told the successor, by batch ID and by the time of before', async () => {
    const { world, tuesdays, beforeMs } = all
    const successor = (await world.catalog.current(tuesday))?.batchId
    expect(successor).not.toBe(tuesdays)
    for (const choice of [{ batchId: tuesdays }, { asOfMs: beforeMs }]) {
      await expect(world.catalog.load(tuesday, choice)).rejects.toMatchObject({
        code: 'batch-purged',
        successor,
        next: expect.stringContaining(`its successor ${successor}`),
      })
    }
    expect(await idsOf(world, tuesday)).toEqual(['dora'])
  })

  it('is told the one behind the current batch, too, where an anchor alone held it', async () => {
    const { world, anchored } = all
    const error: unknown = await world.catalog.load(monday, anchored).catch((thrown: unknown) => thrown)
    if (!(error instanceof CatalogError)) throw new Error('a batch is purged')
    const { record } = await world.catalog.load(monday, { anchor: 'report' })
    expect(error.successor).toBe(record.batchId)
  })

  it('is told as before where nothing came in its place, or a note of before does not say', async () => {
    const { world, overwritten, tuesdays } = all
    const plain = { code: 'batch-purged', successor: undefined, next: expect.stringContaining('Read another batch') }
    await expect(world.catalog.load(monday, overwritten)).rejects.toMatchObject(plain)
    for (const [key, item] of world.store.items) {
      if (item.table !== 'team.scores' || item.sk !== batchSortKey('day=2', tuesdays)) continue
      const { successor: _, ...attributes } = item.attributes
      world.store.items.set(key, { ...item, attributes })
    }
    await expect(world.catalog.load(tuesday, tuesdays)).rejects.toMatchObject(plain)
  })

  it('sees by an anchor that it reads a successor, and of what', async () => {
    const { world, anchored } = all
    expect(await idsOf(world, monday, { anchor: 'report' })).toEqual(['bob'])
    expect(await world.catalog.load(monday, { anchor: 'report' })).toMatchObject({ successorOf: anchored })
    expect((await world.catalog.load(monday)).successorOf).toBeUndefined()
  })
})

describe('a partition whose anchored batch gets a successor', () => {
  it('has its current batch at every instant, that of the commit included', async () => {
    const { world, mondays, beforeMs } = await stored()
    // Every clock ticks between the two entries.
    await world.forget({ userId: ID })
    const { store } = world
    const newest = await currentEntry(store, monday)
    expect(newest).toMatchObject({ kind: 'rollback', batchId: mondays })
    for (let at = beforeMs; at <= world.time.nowMs; at++) {
      expect((await readLogAsOf(store, monday, at))?.batchId, `at ${at}`).toBe(mondays)
    }
    world.remove()
  })

  it('has it in the end where the store has no transactions and an answer of it is lost', async () => {
    const { world, mondays } = await stored()
    world.store.createAll = async () => {
      throw new CatalogError('none', { code: 'transactions-unavailable' })
    }
    const create = world.store.create.bind(world.store)
    let isLost = true
    world.store.create = async item => {
      const answer = await create(item)
      // The first answer about the log is lost, and the call was made again.
      if (!item.sk.startsWith('log#day=1#') || !isLost) return answer
      isLost = false
      return 'exists'
    }
    expect(await world.forget({ userId: ID })).toMatchObject({ isComplete: true })
    expect((await currentEntry(world.store, monday))?.batchId).toBe(mondays)
    world.remove()
  })

  it('has it from the same instant on where the store has no transactions', async () => {
    const { world, mondays, beforeMs } = await stored()
    world.store.createAll = async () => {
      throw new CatalogError('none', { code: 'transactions-unavailable' })
    }
    expect(await world.forget({ userId: ID })).toMatchObject({ isComplete: true })
    for (let at = beforeMs; at <= world.time.nowMs; at++) {
      expect((await readLogAsOf(world.store, monday, at))?.batchId, `at ${at}`).toBe(mondays)
    }
    world.remove()
  })
})
