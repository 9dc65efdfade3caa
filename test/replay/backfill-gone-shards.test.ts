// Rebuilds of users who have folded more of a shard than the archive will ever have: nothing is taken from them unless it is said.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { listDeadLetters, writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { goneByEpoch } from '../../src/replay/gone-shards.ts'
import { type BackfillWorld, backfillWorld, followed, itemOf, orders, readUser } from './backfill-world.ts'

const GONE = { isGivenUp: goneByEpoch(new Map([['events@2/shardId-000000000000', '1']])) }
const target = { kind: 'named' } as const
let world: BackfillWorld

beforeEach(() => {
  world = backfillWorld()
})
afterEach(() => world.remove())

it('gives up what only the item has where it is told to, once, and its newest time too', async () => {
  const records = orders(2, 5)
  await world.deliver(records)
  await world.store(records.slice(0, 6))
  const item = await itemOf(world.users, 'user-0')
  expect(await world.backfill()).toMatchObject({ waiting: 2, written: 0 })
  expect(await itemOf(world.users, 'user-0')).toEqual(item)
  expect(await world.backfill(GONE)).toMatchObject({ waiting: 0, written: 2, gaveUp: 2 })
  const twin = await followed(records.slice(0, 6))
  // What ids and floor say of late events stays.
  const { ids: _ids, ...made } = await readUser(twin, 'user-0')
  expect(await readUser(world.users, 'user-0')).toMatchObject(made)
  expect((await itemOf(world.users, 'user-0')).at).toBe((await itemOf(twin, 'user-0')).at)
  const only = new Set(['user-0', 'user-1'])
  expect(await world.backfill({ target, only })).toMatchObject({ waiting: 0, unchanged: 2, gaveUp: 0 })
})

it('waits for the shards that are there, be others given up', async () => {
  const records = orders(1, 6)
  const live = orders(1, 2, 10).map(record => ({ ...record, stream: 'events@2' }))
  await world.deliver([...records, ...live])
  await world.store([...records.slice(0, 4), ...live.slice(0, 1)])
  expect(await world.backfill(GONE)).toMatchObject({ waiting: 1, written: 0 })
  await world.store(live)
  expect(await world.backfill(GONE)).toMatchObject({ waiting: 0, written: 1, gaveUp: 1 })
  expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(6)
})

it('leaves a user of whom nothing would be left', async () => {
  const records = orders(1, 3)
  await world.deliver(records)
  const item = await itemOf(world.users, 'user-0')
  expect(await world.backfill(GONE)).toMatchObject({ waiting: 1, written: 0 })
  expect(await itemOf(world.users, 'user-0')).toEqual(item)
})

it('leaves a letter open whose record the archive will never have', async () => {
  const records = orders(1, 6)
  const [lost] = records.slice(5)
  if (lost === undefined) throw new Error('no record')
  await world.send(records.slice(0, 5))
  await writeDeadLetters(world.archive, [{ record: lost, refusal: { reason: 'contract', detail: 'It was.' } }])
  const letters = { target: { kind: 'letters', reason: 'contract' } } as const
  expect(await world.backfill(letters)).toMatchObject({ waiting: 1, lettersClosed: 0 })
  expect(await world.backfill({ ...letters, ...GONE })).toMatchObject({ waiting: 0, lettersClosed: 0, lettersLeft: 1 })
  expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(5)
  const open: string[] = []
  for await (const { sequence } of listDeadLetters(world.archive)) open.push(sequence)
  expect(open).toEqual([lost.sequence])
})
