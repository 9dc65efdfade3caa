// Repairs of users who have folded more of a shard than the archive will ever have.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DedupState } from '../../src/affected/dedup-state.ts'
import { orders, readUser } from './backfill-world.ts'
import { fold, laterOrder, expectVerified, meaningOf, type RepairWorld, repairWorld, SHARD } from './repair-world.ts'

const TORN_STATE = { st: { B: new Uint8Array([1]) } }
let world: RepairWorld

beforeEach(() => {
  world = repairWorld()
})
afterEach(() => world.remove())

describe('a shard that is gone from the stream before the archive had all of it', () => {
  const YOUNGER = 'shardId-000000000009'

  it.each([
    ['as it was of an earlier epoch', [{ ...laterOrder(1, 'user-9'), stream: 'events@2' }], [SHARD]],
    ['as its last record has expired', [], [YOUNGER]],
  ])('is not waited for, %s', async (_name, later, shards) => {
    const records = orders(1, 10)
    await fold(world, records)
    await world.store(records.slice(0, 6))
    world.damage('user-0', all => ({ ...all, ...TORN_STATE }))
    expect(await world.repair()).toMatchObject([{ outcome: 'waiting' }])
    world.shards = shards
    await world.store(later)
    const detail = expect.stringContaining(`lacks the last events of events@1/${SHARD},`)
    expect(await world.repair()).toMatchObject([{ outcome: 'repaired', detail }])
    const { dedup } = (await meaningOf(world.users, 'user-0')) as { dedup: DedupState }
    expect([...dedup.marks].map(([key, { sequence }]) => [key, sequence])).toEqual([[`events@1/${SHARD}`, '6']])
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(6)
    await expectVerified(world)
    // What comes from now on counts, and the user is one that can be rebuilt.
    const next = { ...laterOrder(11), stream: 'events@2', shard: YOUNGER }
    await world.send([next])
    expect(await world.repair()).toMatchObject([{ outcome: 'unchanged' }])
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(7)
  })

  it.each([
    ['of a later epoch', { ...laterOrder(7), stream: 'events@2' }, [SHARD]],
    ['that was made after the stream was asked', { ...laterOrder(7), shard: YOUNGER }, [SHARD]],
    ['of another stream', { ...laterOrder(7), stream: 'others@1' }, [SHARD]],
  ])('is none %s', async (_name, beyond, shards) => {
    const records = orders(1, 6)
    await fold(world, [...records, beyond])
    await world.store(records)
    world.shards = shards
    world.damage('user-0', all => ({ ...all, ...TORN_STATE }))
    expect(await world.repair()).toMatchObject([{ outcome: 'waiting' }])
    await world.store([beyond])
    expect(await world.repair()).toMatchObject([{ outcome: 'repaired' }])
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(7)
  })

  it('keeps what the state of a damaged item has, unless it is told to give it up', async () => {
    const records = orders(1, 10)
    await fold(world, records)
    await world.store(records.slice(0, 6))
    world.shards = [YOUNGER]
    world.damage('user-0', all => ({ ...all, pr: { B: new Uint8Array([1]) } }))
    const [before] = [world.users.raw('user-0')]
    expect(await world.repair()).toMatchObject([{ outcome: 'waiting' }])
    expect(world.users.raw('user-0')).toEqual(before)
    expect(await world.repair({ isLossAccepted: true })).toMatchObject([{ outcome: 'repaired' }])
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(6)
  })

  it('is none by a word that the archive has not: an epoch that somebody named', async () => {
    const records = orders(1, 10)
    await fold(world, records)
    await world.store(records.slice(0, 6))
    world.damage('user-0', all => ({ ...all, ...TORN_STATE }))
    expect(await world.repair({ stream: 'events@2' })).toMatchObject([{ outcome: 'waiting' }])
  })

  it('takes nothing away from an item that is sound, be another one made right beside it', async () => {
    const records = orders(2, 5)
    await fold(world, records)
    await world.store(records.slice(0, 6))
    const raw = world.users.raw('user-0')
    world.damage('user-1', all => ({ ...all, ...TORN_STATE }))
    world.shards = [YOUNGER]
    const results = await world.repair({ userIds: ['user-1', 'user-0'], stream: 'events@2' })
    expect(results.map(({ userId, outcome }) => `${userId} ${outcome}`).sort()).toEqual([
      'user-0 waiting',
      'user-1 repaired',
    ])
    expect(world.users.raw('user-0')).toEqual(raw)
  })

  it('leaves an item that the archive has nothing of', async () => {
    const records = orders(1, 3)
    await fold(world, records)
    await world.store([laterOrder(1, 'user-1')])
    world.damage('user-0', all => ({ ...all, ...TORN_STATE }))
    world.shards = [YOUNGER]
    expect(await world.repair()).toMatchObject([{ outcome: 'no-history' }])
  })
})
