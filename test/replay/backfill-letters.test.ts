// Dead letters and doubt replayed by rebuilding their users.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listDeadLetters, writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { listDoubt } from '../../src/archive/doubt.ts'
import type { Refusal } from '../../src/event/decoded-event.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { collect } from '../archive/factories.ts'
import { START } from '../features/factories.ts'
import { orderRecord, rawRecord } from '../recompute/harness.ts'
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
  world.live = after
})
afterEach(() => world.remove())

const letters = (reason: string) => world.backfill({ target: { kind: 'letters', reason } })

const LATE: Refusal = { reason: 'late', detail: 'It came late.' }

/** Refused while they are delivered, as by the contract of then; the archive has them as they came, and today's accepts them. */
async function sendRefused(records: readonly StreamRecord[]): Promise<void> {
  const { failedSequence } = await world.deliver(records.map(record => ({ ...record, ...broken(record) })))
  expect(failedSequence).toBeUndefined()
  await world.store(records)
}

function broken({ dataBase64 }: StreamRecord): Pick<StreamRecord, 'dataBase64'> {
  const payload = JSON.parse(Buffer.from(dataBase64, 'base64').toString()) as object
  return { dataBase64: Buffer.from(JSON.stringify({ ...payload, amount: 'ten' })).toString('base64') }
}

describe('letters of a contract that was mended', () => {
  it('are counted by rebuilding their users, never as late, and closed', async () => {
    const records = orders(3, 20)
    await world.send(records.slice(0, 30))
    await sendRefused(records.slice(30, 40))
    await world.send(records.slice(40))
    expect((await world.backfill()).users).toBe(0)
    world.users.resetCounters()
    expect(await letters('contract')).toMatchObject({ users: 3, written: 3, lettersClosed: 10, lettersLeft: 0 })
    // The second read is of the items once their letters are closed.
    expect(world.users.counters).toMatchObject({ puts: 3, keysRead: 6 })
    const due = await followed(records)
    for (const item of world.users.items()) {
      expect(await readUser(world.users, item.userId)).toEqual(await readUser(due, item.userId))
    }
    expect(await collect(listDeadLetters(world.archive))).toEqual([])
    expect(await letters('contract')).toMatchObject({ users: 0, written: 0 })
    expect(await world.backfill({ target: { kind: 'named' }, only: new Set(['user-1']) })).toMatchObject({
      unchanged: 1,
    })
  })

  it('give a user that had nothing else its first item, which then knows them', async () => {
    const records = orders(2, 5)
    await sendRefused(records)
    expect(world.users.items()).toEqual([])
    expect(await letters('contract')).toMatchObject({ written: 2, firstItems: 2, lettersClosed: 10 })
    expect(await readUser(world.users, 'user-1')).toEqual(await readUser(await followed(records), 'user-1'))
    const again = await world.deliver(records)
    expect(again.counts).toMatchObject({ folded: 0 })
  })

  it('reach as far as the newest of them, and count what lies before it although the stream has not come so far', async () => {
    const records = orders(1, 12)
    await world.send(records.slice(0, 6))
    // The batch of the letter failed before it: its records come again.
    await world.store(records.slice(6, 9))
    await sendRefused(records.slice(9, 10))
    expect(await letters('contract')).toMatchObject({ written: 1, lettersClosed: 1 })
    const { counts } = await world.deliver(records.slice(6, 9))
    expect(counts).toMatchObject({ folded: 0 })
    await world.send(records.slice(10))
    expect(await readUser(world.users, 'user-0')).toEqual(await readUser(await followed(records), 'user-0'))
  })

  it('wait for the archive where it does not have them yet', async () => {
    const records = orders(1, 4)
    await world.send(records.slice(0, 2))
    await world.deliver(records.slice(2).map(record => ({ ...record, ...broken(record) })))
    expect(await letters('contract')).toMatchObject({
      users: 1,
      written: 0,
      waiting: 1,
      lettersClosed: 0,
      lettersLeft: 2,
    })
    expect(await collect(listDeadLetters(world.archive))).toHaveLength(2)
    await world.store(records.slice(2))
    expect(await letters('contract')).toMatchObject({ written: 1, lettersClosed: 2 })
  })

  it('stay open where today’s contracts refuse them too, and other reasons are left alone', async () => {
    const [first, second, third] = orders(1, 3) as [StreamRecord, StreamRecord, StreamRecord]
    await world.send([first, { ...second, ...broken(second) }, rawRecord('{', 3, 'user-0')])
    await sendRefused([third].map(record => ({ ...record, sequence: '4' })))
    expect(await letters('contract')).toMatchObject({ written: 1, lettersClosed: 1, lettersLeft: 1 })
    const left = await collect(listDeadLetters(world.archive))
    expect(left.map(({ reason, sequence }) => `${reason} ${sequence}`)).toEqual(['contract 2', 'not-json 3'])
    expect(await letters('mis-keyed')).toMatchObject({ users: 0 })
  })

  it.each(['put', 'close'])('are closed by the next run where one died after the %s', async at => {
    await world.send(orders(1, 3))
    await sendRefused(orders(1, 2, 3))
    if (at === 'put')
      world.users.fault = ({ operation }) => (operation === 'put' ? { throwAfter: new Error('died') } : undefined)
    world.fault = ({ operation, key }) => {
      if (operation === 'create' && key.startsWith('closed/')) throw new Error('died')
    }
    await expect(letters('contract')).rejects.toThrow('died')
    world.users.fault = undefined
    world.fault = undefined
    world.users.resetCounters()
    expect(await letters('contract')).toMatchObject({ written: 0, unchanged: 1, lettersClosed: 2 })
    expect(world.users.counters.puts).toBe(0)
  })

  it('are counted although another rebuild wrote the user between the write that counts them and their closing', async () => {
    const old = orderRecord('old', 5, { user: 'user-0', ts: START - 40 * DAY_MS })
    const last = orderRecord('last', 6, { user: 'user-0', ts: START + 91 * DAY_MS })
    const apart = { ...orderRecord('apart', 1, { user: 'user-1' }), shard: 'shardId-000000000001' }
    await world.send(orders(1, 4))
    await sendRefused([old, { ...apart, sequence: '2' }])
    await world.deliver([last])
    await world.deliver([{ ...apart, sequence: '3' }])
    let polls = 0
    world.onSleep = async ms => {
      if (ms !== 1000) return
      polls++
      if (polls === 1) await world.store([last])
      // The first user is written by now, and its letter open while the second one is waited for.
      if (polls === 2) await world.backfill({ target: { kind: 'named' }, only: new Set(['user-0']) })
      if (polls === 3) await world.store([{ ...apart, sequence: '3' }])
    }
    const target = { kind: 'letters', reason: 'contract' } as const
    await world.backfill({ target, waitMs: 60_000 })
    expect(await collect(listDeadLetters(world.archive))).toEqual([])
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(6)
  })

  it('are not counted by any other rebuild while they are open', async () => {
    const records = orders(1, 9)
    await world.send(records.slice(0, 3))
    await sendRefused(records.slice(3, 6))
    await world.send(records.slice(6))
    await world.backfill({ target: { kind: 'named' }, only: new Set(['user-0']) })
    const due = await followed([...records.slice(0, 3), ...records.slice(6)])
    expect(await readUser(world.users, 'user-0')).toEqual(await readUser(due, 'user-0'))
  })
})

describe('late letters', () => {
  it('are counted, and come to nothing when they are delivered again', async () => {
    const late = orderRecord('late', 6, { user: 'user-0', ts: START - 40 * DAY_MS })
    const records = orders(1, 5)
    await world.send(records)
    expect((await world.deliver([late])).counts.deadLetters).toEqual({ late: 1 })
    await world.store([late])
    const floorBefore = (await itemOf(world.users, 'user-0')).dedup.length
    expect(await letters('late')).toMatchObject({ written: 1, lettersClosed: 1 })
    const { values, ids } = await readUser(world.users, 'user-0')
    expect(values['ordersEver']).toBe(6)
    expect(ids).not.toContain('late')
    expect((await itemOf(world.users, 'user-0')).dedup.length).toBe(floorBefore)
    expect((await world.deliver([late])).counts).toMatchObject({ folded: 0, belowFloor: 1 })
  })

  it('are found although they were written while their user was', async () => {
    const late = orderRecord('late', 6, { user: 'user-0', ts: START - 40 * DAY_MS })
    const next = orderRecord('next', 7, { user: 'user-0', ts: START + 95 * DAY_MS })
    world.live = before
    await world.send(orders(1, 5))
    await world.store([late, next])
    // One batch: its item is there and marks both records, its letter is still on the way.
    await world.deliver([next])
    world.users.fault = ({ operation }) => {
      if (operation === 'put') void writeDeadLetters(world.archive, [{ record: late, refusal: LATE }])
      return undefined
    }
    expect(await world.backfill({ waitMs: 5000 })).toMatchObject({ written: 2, waiting: 0 })
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(6)
    expect(await collect(listDeadLetters(world.archive))).toHaveLength(1)
  })

  it('are left out by whatever is rebuilt after they were written, also where the run dies then', async () => {
    const users = orders(8, 5)
    const late = Array.from({ length: 8 }, (_, id) =>
      orderRecord(`late${id}`, 100 + id, { user: `user-${id}`, ts: START - 40 * DAY_MS }),
    )
    const next = Array.from({ length: 8 }, (_, id) =>
      orderRecord(`next${id}`, 200 + id, { user: `user-${id}`, ts: START + 95 * DAY_MS }),
    )
    world.live = before
    await world.send(users)
    await world.store([...late, ...next])
    await world.deliver(next)
    let puts = 0
    world.users.fault = ({ operation }) => {
      if (operation !== 'put') return undefined
      puts++
      if (puts === 8) return { throwBefore: new Error('died') }
      if (puts > 1) return undefined
      void writeDeadLetters(
        world.archive,
        late.map(record => ({ record, refusal: LATE })),
      )
      return { delayMs: 20 }
    }
    await expect(world.backfill()).rejects.toThrow('died')
    const wrong: string[] = []
    for (const { userId } of world.users.items()) {
      const { values } = await readUser(world.users, userId)
      if (values['ordersEver'] === 7) wrong.push(userId)
    }
    // Those of the very chunk in which the letters came.
    expect(puts).toBe(8)
    expect(wrong.length).toBeLessThan(3)
  })
})

describe('doubt', () => {
  const doubtful = async () => (await collect(listDoubt(world.archive))).length

  it('is cleared by a rebuild that finds the item right, without a write', async () => {
    const records = orders(2, 10)
    await world.send(records)
    expect((await world.deliver(records.slice(0, 4))).counts.belowFloor).toBe(4)
    world.users.resetCounters()
    expect(await world.backfill({ target: { kind: 'doubt' } })).toMatchObject({
      users: 2,
      unchanged: 2,
      doubtCleared: 4,
    })
    expect(world.users.counters.puts).toBe(0)
    expect(await doubtful()).toBe(0)
    expect(await world.backfill({ target: { kind: 'doubt' } })).toMatchObject({ users: 0 })
  })

  it('brings back an event that was skipped', async () => {
    const records = orders(1, 10)
    const [skipped] = records.splice(3, 1) as [StreamRecord]
    await world.send(records)
    await world.store([skipped])
    expect((await world.deliver([skipped])).counts.belowFloor).toBe(1)
    expect(await world.backfill({ target: { kind: 'doubt' } })).toMatchObject({ written: 1, doubtCleared: 1 })
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(10)
    expect(await doubtful()).toBe(0)
  })

  it('stays where its user is left', async () => {
    const records = orders(1, 10)
    await world.send(records)
    await world.deliver(records.slice(0, 1))
    await world.deliver([orderRecord('next', 99, { user: 'user-0', ts: START + 95 * DAY_MS })])
    expect(await world.backfill({ target: { kind: 'doubt' } })).toMatchObject({ waiting: 1, doubtCleared: 0 })
    expect(await doubtful()).toBe(1)
  })
})
