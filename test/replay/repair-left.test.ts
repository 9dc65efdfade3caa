// Users whom a repair leaves as they are, and why.
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SUM_VERSION_MAX } from '../../src/store/checksums.ts'
import { orderRecord } from '../recompute/harness.ts'
import { itemOf, orders } from './backfill-world.ts'
import { fold, type RepairWorld, repairWorld } from './repair-world.ts'

const NO_MARKS = { dedup: { B: new Uint8Array([1]) } }
let world: RepairWorld

beforeEach(() => {
  world = repairWorld()
})
afterEach(() => world.remove())

describe('what is left', () => {
  it('is an item that newer code wrote, whatever its layout', async () => {
    const records = orders(1, 4)
    await fold(world, records)
    await world.store(records)
    const { v } = await itemOf(world.users, 'user-0')
    const sum = new Uint8Array(90).fill(7)
    sum[0] = SUM_VERSION_MAX + 1
    new DataView(sum.buffer).setUint32(86, crc32(`${v} user-0`, crc32(sum.subarray(0, 86))))
    world.damage('user-0', all => ({ ...all, sum: { B: sum } }))
    expect(await world.repair()).toMatchObject([{ outcome: 'newer', problem: 'sum: layout 4, this code reads 2 to 3' }])
    expect(world.users.raw('user-0')?.['sum']).toEqual({ B: sum })
  })

  it('is a user of whom the archive has nothing', async () => {
    await world.deliver(orders(1, 4))
    world.damage('user-0', all => ({ ...all, ...NO_MARKS }))
    const raw = world.users.raw('user-0')
    expect(await world.repair()).toMatchObject([{ outcome: 'no-history' }])
    expect(world.users.raw('user-0')).toEqual(raw)
  })

  it('is one of more events than may be held, and the others are done', async () => {
    const many = orders(1, 30)
    const few = [orderRecord(40, 40, { user: 'user-1' }), orderRecord(41, 41, { user: 'user-1' })]
    await fold(world, [...many, ...few])
    await world.store([...many, ...few])
    for (const userId of ['user-0', 'user-1']) world.damage(userId, all => ({ ...all, ...NO_MARKS }))
    const results = await world.repair({ userIds: ['user-0', 'user-1'], eventsHeldMax: 20 })
    expect(new Map(results.map(({ userId, outcome }) => [userId, outcome]))).toEqual(
      new Map([
        ['user-0', 'too-many-events'],
        ['user-1', 'repaired'],
      ]),
    )
  })

  it('is nobody else: other users are neither read nor written', async () => {
    const records = orders(3, 5)
    await fold(world, records)
    await world.store(records)
    world.damage('user-1', all => ({ ...all, ...NO_MARKS }))
    const [zero, two] = [world.users.raw('user-0'), world.users.raw('user-2')]
    world.users.resetCounters()
    await world.repair({ userIds: ['user-1'] })
    expect(world.users.counters).toMatchObject({ keysRead: 1, puts: 1, scanPages: 0 })
    expect([world.users.raw('user-0'), world.users.raw('user-2')]).toEqual([zero, two])
  })
})
