// Imports and their withdrawal, on the side of the items.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { after, type BackfillWorld, backfillWorld, followed, itemOf, orders, readUser } from './backfill-world.ts'

const DAY_MS = 86_400_000

let world: BackfillWorld
beforeEach(() => {
  world = backfillWorld()
  world.live = after
})
afterEach(() => world.remove())

/** A year before everything in the stream. */
function past(users: number, countEach: number, name = 'p'): StreamRecord[] {
  return Array.from({ length: users * countEach }, (_, index) =>
    orderRecord(`${name}${index}`, index + 1, {
      user: `user-${index % users}`,
      ts: START - 300 * DAY_MS + index * DAY_MS,
    }),
  )
}

async function expectFollowed(records: readonly StreamRecord[], userIds: readonly string[]): Promise<void> {
  const due = await followed(records.toSorted((a, b) => (placedAt(a) < placedAt(b) ? -1 : 1)))
  for (const userId of userIds) expect(await readUser(world.users, userId)).toEqual(await readUser(due, userId))
}

function placedAt({ dataBase64 }: StreamRecord): string {
  return (JSON.parse(Buffer.from(dataBase64, 'base64').toString()) as { placedAt: string }).placedAt
}

describe('an import', () => {
  it('is counted by users that had an item, once, and by nobody else', async () => {
    const [live, imported] = [orders(4, 10), past(2, 30)]
    await world.send(live)
    const batchId = await world.imports('past', imported)
    world.users.resetCounters()
    expect(await world.backfill()).toMatchObject({ users: 2, written: 2, firstItems: 0 })
    expect(world.users.counters).toMatchObject({ puts: 2, keysRead: 2 })
    expect(await itemOf(world.users, 'user-1')).toMatchObject({ v: 2, imports: [batchId] })
    expect(await itemOf(world.users, 'user-2')).toMatchObject({ v: 1, imports: [] })
    await expectFollowed([...imported, ...live], ['user-0', 'user-1', 'user-2'])
    expect(await world.backfill()).toMatchObject({ users: 0, written: 0 })
  })

  it('is folded once although the stream brought some of it, before or after', async () => {
    const [live, imported] = [orders(1, 10), past(1, 20)]
    await world.send(live)
    await world.imports('past', [...imported, ...live.slice(0, 5)])
    await world.backfill()
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(30)
    // What the stream brings again is known, or so old that the item cannot tell.
    const { counts } = await world.deliver([
      ...live,
      orderRecord('p19', 99, { user: 'user-0', ts: START - 281 * DAY_MS }),
    ])
    expect(counts).toMatchObject({ folded: 0 })
  })

  it('gives users their first item where the import died before it did', async () => {
    const imported = past(3, 10)
    world.users.fault = ({ operation }) => (operation === 'put' ? { throwBefore: new Error('died') } : undefined)
    await expect(world.imports('past', imported)).rejects.toThrow('died')
    world.users.fault = undefined
    expect(world.users.items()).toEqual([])
    expect(await world.backfill()).toMatchObject({ users: 3, written: 3, firstItems: 3 })
    await expectFollowed(imported, ['user-0', 'user-1', 'user-2'])
    expect(await world.backfill()).toMatchObject({ users: 0 })
  })

  it('is replaced by the one that supersedes it', async () => {
    const live = orders(2, 5)
    await world.send(live)
    await world.imports('past', past(2, 10, 'wrong'))
    await world.backfill()
    const right = past(1, 10, 'right')
    const batchId = await world.imports('past', right)
    expect(await world.backfill()).toMatchObject({ users: 2, written: 2 })
    expect((await itemOf(world.users, 'user-0')).imports).toEqual([batchId])
    expect((await itemOf(world.users, 'user-1')).imports).toEqual([])
    await expectFollowed([...right, ...live], ['user-0', 'user-1'])
  })

  it('is not asked for by one feature, and is counted where that one is filled', async () => {
    const [live, imported] = [orders(1, 10), past(1, 20)]
    await world.send(live)
    await world.imports('past', imported)
    const ofFeature = { kind: 'incomplete', feature: 'giftsEver' } as const
    expect(await world.backfill({ target: ofFeature })).toMatchObject({ users: 0 })
    expect(await world.backfill({ target: { kind: 'named' }, only: new Set(['user-0']) })).toMatchObject({ written: 1 })
    await expectFollowed([...imported, ...live], ['user-0'])
  })

  it('is counted beside another one, whose batch each item names', async () => {
    const [one, two] = [past(2, 5, 'one'), past(1, 5, 'two')]
    const first = await world.imports('one', one)
    const second = await world.imports('two', two)
    expect(await world.backfill()).toMatchObject({ users: 1, written: 1 })
    expect((await itemOf(world.users, 'user-0')).imports).toEqual([first, second])
    expect((await itemOf(world.users, 'user-1')).imports).toEqual([first])
  })
})

describe('an import that is withdrawn', () => {
  it('is in no item any more, and what the stream brought stays', async () => {
    const [live, imported] = [orders(3, 6), past(2, 30)]
    await world.send(live)
    await world.imports('past', imported)
    await world.backfill()
    await world.withdraw('past')
    expect(await world.backfill()).toMatchObject({ users: 2, written: 2 })
    const due = await followed(live)
    for (const userId of ['user-0', 'user-1', 'user-2']) {
      expect((await readUser(world.users, userId)).values).toEqual((await readUser(due, userId)).values)
      expect((await itemOf(world.users, userId)).imports).toEqual([])
    }
    expect(await world.backfill()).toMatchObject({ users: 0 })
  })

  it('leaves its users without an event, and at the same instant', async () => {
    await world.imports('past', past(1, 10))
    const { at } = await itemOf(world.users, 'user-0')
    await world.withdraw('past')
    expect(await world.backfill()).toMatchObject({ written: 1 })
    expect(await itemOf(world.users, 'user-0')).toMatchObject({ v: 2, at, imports: [] })
    expect((await readUser(world.users, 'user-0')).values).toMatchObject({ ordersEver: 0, dearest: null })
    expect(await world.backfill()).toMatchObject({ users: 0 })
  })

  it('loses nothing that the stream brought while it was there, as a duplicate', async () => {
    // Within the lateness, so that the item knows them all.
    const twice = Array.from({ length: 8 }, (_, id) =>
      orderRecord(id, id + 1, { user: 'user-0', ts: START + id * 60_000 }),
    )
    await world.imports('past', twice)
    expect((await world.deliver(twice.slice(6))).counts).toMatchObject({ duplicate: 2 })
    await world.store(twice.slice(6))
    await world.withdraw('past')
    expect(await world.backfill()).toMatchObject({ written: 1 })
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(2)
    expect((await world.deliver(twice.slice(6))).counts).toMatchObject({ duplicate: 2, folded: 0 })
  })
})
