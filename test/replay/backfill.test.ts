import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { type DecodedItem, decodeItem, encodeItem } from '../../src/store/item-codec.ts'
import { isCorrupt } from '../../src/store/user-item.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import {
  after,
  before,
  type BackfillWorld,
  backfillWorld,
  followed,
  itemOf,
  orders,
  readUser,
} from './backfill-world.ts'

const DAY_MS = 86_400_000

let world: BackfillWorld
beforeEach(() => {
  world = backfillWorld()
})
afterEach(() => world.remove())

describe('backfill', () => {
  it('leaves what today’s definitions would have made of the same events, with one read and one write a user', async () => {
    const records = orders(7, 30)
    await world.send(records)
    world.users.resetCounters()
    world.modelRuns.length = 0
    expect(await world.backfill()).toMatchObject({ users: 7, written: 7, firstItems: 0, unchanged: 0, waiting: 0 })
    expect(world.users.counters).toMatchObject({ puts: 7, conflicts: 0, keysRead: 7, loadCalls: 0 })
    expect(world.modelRuns.reduce((sum, run) => sum + run, 0)).toBe(7)
    const expected = await followed(records)
    for (const item of world.users.items()) {
      const [now, due] = [await readUser(world.users, item.userId), await readUser(expected, item.userId)]
      expect(now).toEqual(due)
      expect(now.pending).toEqual({})
    }
    expect(await itemOf(world.users, 'user-0')).toMatchObject({ v: 2, definitions: after.definitions })
  })

  it('writes nothing the second time', async () => {
    await world.send(orders(5, 12))
    await world.backfill()
    world.users.resetCounters()
    expect(await world.backfill()).toMatchObject({ users: 0, written: 0 })
    expect(world.users.counters).toMatchObject({ puts: 0, keysRead: 0 })
    const only = new Set(['user-1', 'user-2'])
    expect(await world.backfill({ target: { kind: 'named' }, only })).toMatchObject({
      users: 2,
      unchanged: 2,
      written: 0,
    })
    expect(world.users.counters).toMatchObject({ puts: 0, keysRead: 2 })
  })

  it('rebuilds nobody whose features are all there', async () => {
    world.live = after
    await world.send(orders(5, 4))
    expect(await world.backfill()).toMatchObject({ users: 0 })
  })

  it('asks for one feature only where it is told to', async () => {
    await world.send(orders(3, 8))
    // In 90 days the window holds nothing from before the feature, and needs no history any more.
    world.nowMs = START + 400 * DAY_MS
    const of = (feature: string) => world.backfill({ target: { kind: 'incomplete', feature }, isDryRun: true })
    expect(await of('web90d')).toMatchObject({ users: 0 })
    expect(await of('giftsEver')).toMatchObject({ users: 3 })
    expect(await of('orders30d')).toMatchObject({ users: 0 })
  })

  it('keeps to the users that it is told, and counts without writing in a dry run', async () => {
    await world.send(orders(9, 3))
    const items = world.users.items()
    const only = new Set(['user-3', 'user-4', 'nobody'])
    expect(await world.backfill({ isDryRun: true })).toMatchObject({ users: 9, written: 0 })
    expect(await world.backfill({ only, isDryRun: true })).toMatchObject({ users: 2 })
    expect(world.users.items()).toEqual(items)
    expect(await world.backfill({ only })).toMatchObject({ users: 2, written: 2 })
    expect((await world.backfill({ isDryRun: true })).users).toBe(7)
  })

  it('counts nothing that the item is not up to, and keeps its marks and floor', async () => {
    const records = orders(2, 200)
    await world.send(records.slice(0, 380))
    await world.store(records.slice(380))
    const { dedup } = await itemOf(world.users, 'user-0')
    await world.backfill()
    const due = await followed(records.slice(0, 380))
    expect(await readUser(world.users, 'user-0')).toEqual(await readUser(due, 'user-0'))
    expect((await itemOf(world.users, 'user-0')).dedup).toEqual(dedup)
    // The stream goes on as if nothing had been.
    world.live = after
    expect((await world.deliver(records.slice(380))).counts).toMatchObject({ folded: 20, duplicate: 0 })
    expect((await world.deliver(records.slice(390))).counts).toMatchObject({ folded: 0 })
    expect(await readUser(world.users, 'user-0')).toEqual(await readUser(await followed(records), 'user-0'))
  })

  it('fills an entry that newer writes have left behind', async () => {
    const records = orders(1, 40)
    world.live = after
    await world.send(records.slice(0, 20))
    world.live = before
    await world.send(records.slice(20))
    expect(await world.backfill()).toMatchObject({ written: 1 })
    expect((await readUser(world.users, 'user-0')).state).toEqual(
      (await readUser(await followed(records), 'user-0')).state,
    )
  })

  it('carries through what it does not know of the item and of its state', async () => {
    await world.send(orders(1, 5))
    const plain = await itemOf(world.users, 'user-0')
    const { state } = await readUser(world.users, 'user-0')
    const { dedup } = decodeItem(plain) as DecodedItem
    const unknown = JSON.stringify({ ...state, beefbeefbeef: { since: 5, d: [1, 2] } })
    const recoded = encodeItem({ ...plain, dedup, state: unknown, features: '{}', predictions: '{}' })
    world.users.plant({ ...toAttributes(recoded), consent: { BOOL: true } })
    await world.backfill()
    const now = await readUser(world.users, 'user-0')
    expect(now.state['beefbeefbeef']).toEqual({ since: 5, d: [1, 2], seen: plain.v, left: plain.at })
    expect(world.users.raw('user-0')?.['consent']).toEqual({ BOOL: true })
  })

  it('reads a bucket in as many passes as its events need, and leaves a user of too many', async () => {
    const records = orders(60, 4)
    const big = Array.from({ length: 30 }, (_, index) =>
      orderRecord(`b${index}`, 1000 + index, { user: 'big', ts: START + index }),
    )
    await world.send([...records, ...big])
    const counts = await world.backfill({ eventsHeldMax: 6 })
    expect(counts).toMatchObject({ written: 60, tooManyEvents: 1 })
    const due = await followed(records)
    for (const userId of ['user-0', 'user-33', 'user-59']) {
      expect(await readUser(world.users, userId)).toEqual(await readUser(due, userId))
    }
    expect(await world.backfill({ eventsHeldMax: 30 })).toMatchObject({ written: 1, tooManyEvents: 0 })
  })

  it('leaves a corrupt item as it is, says so, and does the others', async () => {
    await world.send(orders(3, 3))
    const raw = world.users.raw('user-1')
    world.users.plant({ ...raw, st: { B: Buffer.from('torn') } })
    const planted = world.users.raw('user-1')
    expect(await world.backfill()).toMatchObject({ written: 2, corrupt: 1 })
    const only = new Set(['user-1'])
    expect(await world.backfill({ target: { kind: 'named' }, only })).toMatchObject({ corrupt: 1, written: 0 })
    expect(world.users.raw('user-1')).toEqual(planted)
  })

  it('counts an item that would be too big', async () => {
    await world.send(orders(1, 3))
    world.users.plant({ ...world.users.raw('user-0'), note: { S: 'x'.repeat(70_000) } })
    expect(await world.backfill()).toMatchObject({ itemTooBig: 1, written: 0 })
  })

  it('writes no faster than it may', async () => {
    await world.send(orders(10, 2))
    await world.backfill({ writesPerSecond: 4 })
    // Ten writes take nine intervals of a quarter of a second.
    expect(world.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(2250)
    expect(world.users.items().every(item => !isCorrupt(item) && item.v === 2)).toBe(true)
  })

  it.each(['throwBefore', 'throwAfter'] as const)(
    'finishes what a run that died left, whatever call it died at (%s), and writes nobody twice',
    async when => {
      const records = orders(3, 4)
      const due = await followed(records)
      for (let failing = 1; ; failing++) {
        const one = backfillWorld()
        await one.send(records)
        let calls = 0
        const fail = (): { [key in typeof when]?: Error } => (++calls === failing ? { [when]: new Error('died') } : {})
        one.users.fault = fail
        one.fault = call => {
          if (call.when === 'before' && fail()[when] !== undefined) throw new Error('died')
        }
        const first: unknown = await one.backfill().catch((error: unknown) => error)
        one.users.fault = undefined
        one.fault = undefined
        expect(await one.backfill()).toMatchObject({ waiting: 0 })
        for (const item of one.users.items()) {
          expect(item).toMatchObject({ v: 2 })
          expect(await readUser(one.users, item.userId)).toEqual(await readUser(due, item.userId))
        }
        one.remove()
        if (first instanceof Error) continue
        // Every call of a run has failed once.
        expect(failing).toBeGreaterThan(20)
        return
      }
    },
  )
})

describe('many users', () => {
  it('are read by the hundred', async () => {
    const users = 300
    await world.send(orders(users, 1))
    world.users.resetCounters()
    world.modelRuns.length = 0
    expect(await world.backfill()).toMatchObject({ written: users })
    expect(world.users.counters).toMatchObject({ keysRead: users, puts: users })
    expect(world.users.counters.loadManyCalls).toBeLessThanOrEqual(64 + users / 100)
  })
})
