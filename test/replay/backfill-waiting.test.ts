// Users that the stream is ahead with, or writes at the same time as a rebuild.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { after, type BackfillWorld, backfillWorld, followed, itemOf, orders, readUser } from './backfill-world.ts'

let world: BackfillWorld
beforeEach(() => {
  world = backfillWorld()
})
afterEach(() => world.remove())

describe('a user that is ahead of the archive', () => {
  it('waits until the archive has caught up, and is held meanwhile', async () => {
    const records = orders(4, 10)
    await world.send(records.slice(0, 36))
    await world.deliver(records.slice(36))
    world.users.resetCounters()
    let polls = 0
    world.onSleep = async () => {
      if (++polls === 5) await world.store(records.slice(36))
    }
    expect(await world.backfill({ waitMs: 60_000 })).toMatchObject({ users: 4, written: 4, waiting: 0 })
    // Then for letters of batches under way.
    expect(world.sleeps).toEqual([1000, 1000, 1000, 1000, 1000, 5000])
    // Once to see how far the user is, in each sweep; again when the archive is as far.
    expect(world.users.counters.keysRead).toBe(12)
    for (const userId of ['user-0', 'user-3']) {
      expect(await readUser(world.users, userId)).toEqual(await readUser(await followed(records), userId))
    }
  })

  it('is left when the wait is over, and the others are done', async () => {
    const records = orders(4, 10)
    await world.send(records.slice(0, 38))
    await world.deliver(records.slice(38))
    expect(await world.backfill({ waitMs: 3000 })).toMatchObject({ written: 2, waiting: 2 })
    expect(world.sleeps.slice(0, 3)).toEqual([1000, 1000, 1000])
    await world.store(records.slice(38))
    expect(await world.backfill()).toMatchObject({ users: 2, written: 2, waiting: 0 })
  })

  it('is written between two of its events, although it never stands still', async () => {
    const records = orders(1, 300)
    await world.send(records.slice(0, 100))
    let next = 100
    let archived = 100
    // Live with every look, archived with every third.
    world.onSleep = async () => {
      await world.deliver(records.slice(next, next + 1))
      next++
      if (next % 3 === 0) {
        await world.store(records.slice(archived, next))
        archived = next
      }
    }
    world.live = after
    await world.deliver(records.slice(next, ++next))
    expect(await world.backfill({ waitMs: 60_000 })).toMatchObject({ written: 1, waiting: 0 })
    expect(await readUser(world.users, 'user-0')).toEqual(
      await readUser(await followed(records.slice(0, next)), 'user-0'),
    )
  })
})

describe('a user that the stream writes at the same time', () => {
  /** Delivers while the first write of a run is on its way. */
  function during(record: StreamRecord): void {
    let isFirst = true
    world.users.fault = ({ operation }) => {
      if (operation !== 'put' || !isFirst) return undefined
      isFirst = false
      void world.deliver([record])
      return { delayMs: 20 }
    }
  }

  it('is rebuilt from what is there now, where history has it', async () => {
    const records = orders(1, 10)
    await world.send(records.slice(0, 9))
    await world.store(records.slice(9))
    during(records[9] as StreamRecord)
    world.users.resetCounters()
    expect(await world.backfill()).toMatchObject({ written: 1, waiting: 0 })
    expect(world.users.counters).toMatchObject({ puts: 3, conflicts: 1 })
    expect(await itemOf(world.users, 'user-0')).toMatchObject({ v: 3 })
    expect(await readUser(world.users, 'user-0')).toEqual(await readUser(await followed(records), 'user-0'))
  })

  it('waits where history does not have it', async () => {
    const records = orders(1, 10)
    await world.send(records.slice(0, 9))
    during(records[9] as StreamRecord)
    expect(await world.backfill()).toMatchObject({ written: 0, waiting: 1 })
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(10)
    await world.store(records.slice(9))
    expect(await world.backfill()).toMatchObject({ written: 1 })
    expect(await readUser(world.users, 'user-0')).toEqual(await readUser(await followed(records), 'user-0'))
  })
})
