// Corrupt items repaired from the archive: whatever is damaged, the item is then that of a twin to which nothing happened.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { corruptUsers } from '../../src/replay/repair-users.ts'
import { unpackDedup } from '../../src/store/dedup-codec.ts'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { encodeItem } from '../../src/store/item-codec.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { backfillWorld, before, itemOf, orders } from './backfill-world.ts'
import {
  DAMAGES,
  expectVerified,
  meaningOf,
  openReasons,
  type RepairWorld,
  repairWorld,
  SHARD,
} from './repair-world.ts'

const DAY_MS = 86_400_000
let world: RepairWorld
let twin: ReturnType<typeof backfillWorld>

beforeEach(() => {
  world = repairWorld()
  twin = backfillWorld()
})
afterEach(() => {
  world.remove()
  twin.remove()
})

/** Both get them; in the world they are archived too. */
async function both(records: readonly StreamRecord[]): Promise<void> {
  for (let from = 0; from < records.length; from += 7) {
    const batch = records.slice(from, from + 7)
    world.put(batch)
    await world.send(batch)
    await twin.deliver(batch)
  }
}

async function expectTwins(...userIds: string[]): Promise<void> {
  for (const userId of userIds)
    expect(await meaningOf(world.users, userId)).toEqual(await meaningOf(twin.users, userId))
}

describe('a repair', () => {
  it.each(Object.entries(DAMAGES))('makes an item right of which is damaged: %s', async (_name, damage) => {
    const records = orders(2, 12)
    await both(records.slice(0, 16))
    const { v } = await itemOf(world.users, 'user-0')
    world.damage('user-0', damage)
    expect(await corruptUsers(world.users, before)).toEqual(['user-0'])
    await both(records.slice(16))
    expect(new Set(await openReasons(world))).toEqual(new Set(['item-corrupt']))
    const [result] = await world.repair()
    expect(result).toMatchObject({ userId: 'user-0', outcome: 'repaired', problem: expect.any(String) as string })
    expect(result?.closed).toHaveLength(4)
    await expectTwins('user-0', 'user-1')
    expect((await itemOf(world.users, 'user-0')).v).toBeGreaterThan(v)
    expect(await openReasons(world)).toEqual([])
    await expectVerified(world)
    await both([orderRecord('next', 99, { user: 'user-0', ts: START + 95 * DAY_MS })])
    await expectTwins('user-0')
    expect(await corruptUsers(world.users, before)).toEqual([])
  })

  it('finds nothing wrong with items to which nothing happened', async () => {
    expect(Object.keys(DAMAGES).length).toBeGreaterThan(45)
    await both(orders(3, 4))
    expect(await corruptUsers(world.users, before)).toEqual([])
  })

  it('writes nothing to a sound item that is what the archive gives, and rebuilds one that is not', async () => {
    await both(orders(2, 6))
    world.users.resetCounters()
    expect(await world.repair()).toMatchObject([{ outcome: 'unchanged' }])
    expect(world.users.counters.puts).toBe(0)
    const item = await itemOf(world.users, 'user-1')
    const dedup = unpackDedup(item.dedup)
    const wrong = encodeItem({ ...item, dedup, state: '{}', features: '{}', predictions: '{}' })
    world.users.plant(toAttributes(wrong))
    const sound = { userIds: ['user-0', 'user-1'] }
    expect(await world.repair(sound)).toMatchObject([
      { outcome: 'unchanged' },
      { outcome: 'rebuilt', version: item.v + 1 },
    ])
    await expectTwins('user-0', 'user-1')
    expect(await world.repair({ userIds: ['nobody'] })).toMatchObject([{ userId: 'nobody', outcome: 'no-item' }])
  })

  it('looks at the stream only where the marks cannot be relied on', async () => {
    await both(orders(1, 6))
    world.damage('user-0', all => ({ ...all, pr: { B: new Uint8Array([1]) } }))
    await world.repair()
    expect(world.tipReads).toEqual([])
    world.damage('user-0', all => ({ ...all, dedup: { B: new Uint8Array([1]) } }))
    await world.repair()
    expect(world.tipReads).toEqual([new Map([[SHARD, '6']])])
  })

  it('goes on from the version that was read, or from one that no item reaches by counting', async () => {
    await both(orders(1, 6))
    const { v } = await itemOf(world.users, 'user-0')
    world.damage('user-0', all => ({ ...all, ft: { B: new Uint8Array([1]) } }))
    await world.repair()
    expect((await itemOf(world.users, 'user-0')).v).toBe(v + 1)
    world.damage('user-0', all => ({ ...all, v: { N: '3' } }))
    await world.repair()
    const beyond = (await itemOf(world.users, 'user-0')).v
    expect(beyond).toBe(world.nowMs)
    expect(beyond).toBeGreaterThan(1e9)
    world.damage('user-0', all => ({ ...all, v: { N: `${world.nowMs}` }, sum: { B: new Uint8Array(65) } }))
    await world.repair()
    expect((await itemOf(world.users, 'user-0')).v).toBe(beyond + 1)
  })

  it('keeps what is replaced, and what other programs wrote', async () => {
    await both(orders(1, 6))
    world.damage('user-0', all => ({ ...all, st: { B: new Uint8Array([1, 2]) }, ttl: { N: '5' } }))
    const raw = world.users.raw('user-0')
    const [result] = await world.repair()
    const object = JSON.parse(Buffer.from((await world.archive.get(result?.kept ?? '')) ?? []).toString()) as object
    expect(object).toMatchObject({ who: 'ana', at: new Date(world.nowMs).toISOString(), problem: result?.problem })
    expect(object).toMatchObject({
      version: result?.version,
      item: { st: { B: 'AQI=' }, ttl: { N: '5' }, v: raw?.['v'] },
    })
    expect(result?.kept).toMatch(/^corrupt\/[0-9a-f]{64}\.json$/)
    expect(world.users.raw('user-0')).toMatchObject({ ttl: { N: '5' } })
  })

  it('shows in a dry run what it would do, and does none of it', async () => {
    await both(orders(1, 6))
    world.damage('user-0', all => ({ ...all, sum: { B: new Uint8Array([1]) } }))
    const raw = world.users.raw('user-0')
    const keys = world.archive.objects.size
    expect(await world.repair({ isDryRun: true })).toMatchObject([{ outcome: 'repaired', version: world.nowMs }])
    expect(world.users.raw('user-0')).toEqual(raw)
    expect(world.archive.objects.size).toBe(keys)
  })
})
