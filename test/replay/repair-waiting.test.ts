// A repair beside everything else that goes on: an archive that lags, writers of before the damage, letters on their way, and runs
// that die at any call.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { CORRUPT_PREFIX } from '../../src/replay/repair-keep.ts'
import { eventIdHash } from '../../src/platform/hash.ts'
import type { DedupState } from '../../src/affected/dedup-state.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { backfillWorld, itemOf, orders, readUser } from './backfill-world.ts'
import {
  fold,
  laterOrder,
  expectVerified,
  meaningOf,
  openReasons,
  type RepairWorld,
  repairWorld,
  SHARD,
} from './repair-world.ts'

const DAY_MS = 86_400_000
const NO_MARKS = { dedup: { B: new Uint8Array([1]) } }
const TORN_STATE = { st: { B: new Uint8Array([1]) } }
let world: RepairWorld

beforeEach(() => {
  world = repairWorld()
})
afterEach(() => world.remove())

async function expectAsIf(records: readonly StreamRecord[], userId = 'user-0'): Promise<void> {
  const twin = backfillWorld()
  for (let from = 0; from < records.length; from += 5) await twin.deliver(records.slice(from, from + 5))
  expect(await meaningOf(world.users, userId)).toEqual(await meaningOf(twin.users, userId))
  twin.remove()
}

describe('an archive that lags', () => {
  it.each([
    ['up to the marks, where they can be relied on', TORN_STATE],
    ['up to the end of the stream, where they cannot', NO_MARKS],
  ])('is waited for, %s', async (_name, damage) => {
    const records = orders(1, 10)
    await fold(world, records)
    await world.store(records.slice(0, 6))
    world.damage('user-0', all => ({ ...all, ...damage }))
    const raw = world.users.raw('user-0')
    expect(await world.repair()).toMatchObject([{ outcome: 'waiting' }])
    expect(world.users.raw('user-0')).toEqual(raw)
    await world.store(records.slice(6, 8))
    world.onSleep = async () => {
      if (world.sleeps.length === 4) await world.store(records.slice(8))
    }
    expect(await world.repair({ waitMs: 60_000 })).toMatchObject([{ outcome: 'repaired' }])
    await expectAsIf(records)
    await expectVerified(world)
  })

  it('is not waited for beyond the end that the stream had', async () => {
    const records = orders(1, 6)
    await fold(world, records)
    await world.store(records)
    world.damage('user-0', all => ({ ...all, ...NO_MARKS }))
    world.onTip = async () => (world.onTip = undefined)
    await world.repair()
    const later = laterOrder(7)
    world.put([later])
    expect(await world.repair()).toMatchObject([{ outcome: 'unchanged' }])
    await world.deliver([later])
    await expectAsIf([...records, later])
  })

  it('counts what a shard that is gone from the stream has left in the archive', async () => {
    const parent = orders(1, 6).map(record => ({ ...record, shard: 'shardId-000000000009' }))
    const records = [...parent, { ...laterOrder(7), shard: SHARD }]
    await fold(world, records)
    await world.store(records)
    world.stream.splice(0, parent.length)
    world.damage('user-0', all => ({ ...all, ...NO_MARKS }))
    expect(await world.repair()).toMatchObject([{ outcome: 'repaired' }])
    await expectAsIf(records)
  })
})

describe('a record that is delivered after the repair', () => {
  it('that it counted is a duplicate; one beyond it is folded', async () => {
    const records = orders(1, 6)
    await fold(world, records)
    await world.store(records)
    const pending = laterOrder(7)
    world.put([pending])
    await world.store([pending])
    world.damage('user-0', all => ({ ...all, ...NO_MARKS }))
    await world.repair()
    expect((await world.deliver([pending])).counts).toMatchObject({ duplicate: 1 })
    await expectAsIf([...records, pending])
    expect((await world.deliver([laterOrder(8)])).counts).toMatchObject({ folded: 1 })
  })

  it('by a writer that read the item before the damage does not overwrite it', async () => {
    const records = orders(1, 6)
    await fold(world, records.slice(0, 5))
    await world.store(records)
    const read = await itemOf(world.users, 'user-0')
    for (const damage of [NO_MARKS, { v: { S: 'x' } }, { v: { N: '1' } }]) {
      world.damage('user-0', all => ({ ...all, ...damage }))
      await world.repair()
      expect(await world.users.put({ ...read, v: read.v + 1 }, read.v)).toMatchObject({ outcome: 'conflict' })
    }
  })

  it('by one that overwrites the damaged item in between is seen, and nothing is put', async () => {
    const records = orders(1, 6)
    await fold(world, records)
    await world.store(records)
    const zombie = structuredClone(world.users.raw('user-0'))
    world.damage('user-0', all => ({ ...all, ...NO_MARKS }))
    world.onTip = async () => {
      if (zombie !== undefined) world.users.plant(zombie)
    }
    expect(await world.repair()).toMatchObject([{ outcome: 'unchanged' }])
    expect(world.users.raw('user-0')).toEqual(zombie)
    world.damage('user-0', all => ({ ...all, ...NO_MARKS }))
    world.onTip = async () => world.damage('user-0', all => ({ ...all, ...TORN_STATE }))
    expect(await world.repair()).toMatchObject([{ outcome: 'changed' }])
  })
})

describe('letters', () => {
  it('of other reasons stay open and are not counted, late ones are', async () => {
    const records = orders(1, 8)
    await fold(world, records)
    await world.store(records)
    const late = orderRecord('late', 20, { user: 'user-0', ts: START })
    // Refused by what was deployed then, and taken today.
    const refused = laterOrder(21)
    await fold(world, [late])
    await writeDeadLetters(world.archive, [{ record: refused, refusal: { reason: 'contract', detail: 'It was.' } }])
    const next = laterOrder(22)
    world.put([refused, next])
    await world.deliver([next])
    await world.store([late, refused, next])
    expect([...(await openReasons(world))].sort()).toEqual(['contract', 'late'])
    for (const damage of [NO_MARKS, TORN_STATE]) {
      world.damage('user-0', all => ({ ...all, ...damage }))
      expect(await world.repair()).toMatchObject([{ outcome: 'repaired' }])
      expect(await openReasons(world)).toEqual(['contract'])
      const { dedup } = (await meaningOf(world.users, 'user-0')) as { dedup: DedupState }
      const known = [...dedup.types.values()].flatMap(({ ids }) => ids.map(({ idHash }) => idHash))
      expect(known).toContain(eventIdHash('order.placed', 'extra-22'))
      expect(known).not.toContain(eventIdHash('order.placed', 'extra-21'))
    }
    await expectVerified(world)
  })

  it('that a batch under way writes after the repair are counted and closed', async () => {
    const records = orders(1, 6)
    await fold(world, records)
    const under = laterOrder(7)
    await world.store([...records, under])
    world.put([under])
    world.damage('user-0', all => ({ ...all, ...TORN_STATE }))
    world.onSleep = async () => {
      world.onSleep = undefined
      const refusal = { reason: 'item-corrupt', detail: 'It was.' } as const
      await writeDeadLetters(world.archive, [{ record: under, refusal }])
    }
    expect(await world.repair({ waitMs: 10_000 })).toMatchObject([{ outcome: 'repaired', closed: [{ sequence: '7' }] }])
    expect(await openReasons(world)).toEqual([])
    await expectAsIf([...records, under])
    await expectVerified(world)
  })

  it('that were closed since the run began are counted, be their events too old for the item to know them', async () => {
    const records = orders(1, 5)
    await fold(world, records)
    const old = orderRecord('old', 6, { user: 'user-0', ts: START - 40 * DAY_MS })
    const parked = laterOrder(7)
    world.put([old, parked])
    const contract = { reason: 'contract', detail: 'It was.' } as const
    await writeDeadLetters(world.archive, [{ record: old, refusal: contract }])
    await world.store([...records, old])
    world.damage('user-0', all => ({ ...all, ...TORN_STATE }))
    world.onSleep = async () => {
      world.onSleep = undefined
      const target = { kind: 'letters', reason: 'contract' } as const
      expect(await world.backfill({ target })).toMatchObject({ written: 1, lettersClosed: 1 })
      const refusal = { reason: 'item-corrupt', detail: 'It was.' } as const
      await writeDeadLetters(world.archive, [{ record: parked, refusal }])
      await world.store([parked])
    }
    expect(await world.repair({ waitMs: 10_000 })).toMatchObject([{ outcome: 'repaired', closed: [{ sequence: '7' }] }])
    expect(await openReasons(world)).toEqual([])
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(7)
    await expectVerified(world)
  })
})

describe('another rebuild', () => {
  it('that writes the user between the repair and its closing of letters takes none of their events away', async () => {
    const late = orderRecord('late', 6, { user: 'user-0', ts: START - 40 * DAY_MS })
    const records = orders(1, 5)
    await fold(world, records)
    await fold(world, [late])
    await world.store([...records, late])
    expect(await openReasons(world)).toEqual(['late'])
    world.damage('user-0', all => ({ ...all, ...TORN_STATE }))
    const { users } = world
    const put = users.put.bind(users)
    users.put = async (item, expected) => {
      users.put = put
      const done = await put(item, expected)
      await world.backfill({ target: { kind: 'named' }, only: new Set(['user-0']) })
      return done
    }
    await world.repair({ waitMs: 10_000 })
    expect(await openReasons(world)).toEqual([])
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(6)
    await expectVerified(world)
  })
})

describe('a run that dies', () => {
  it.each(['before', 'after'] as const)('%s any of its calls is run again, and all is as if it had not', async when => {
    const records = orders(1, 6)
    const parked = laterOrder(7)
    const meanings: unknown[] = []
    for (let at = 1; at <= 40; at++) {
      const own = repairWorld()
      try {
        own.put([...records, parked])
        await own.send(records)
        own.damage('user-0', all => ({ ...all, ...(at % 2 === 0 ? NO_MARKS : TORN_STATE) }))
        await own.send([parked])
        let calls = 0
        const died = new Error('died')
        own.fault = call => {
          if (call.when === when && ++calls === at) throw died
        }
        own.users.fault = () =>
          ++calls === at ? { [when === 'before' ? 'throwBefore' : 'throwAfter']: died } : undefined
        const first = await own.repair().catch((error: unknown) => error)
        if (calls >= at) expect(String(first instanceof Error ? (first.cause ?? first) : first)).toContain('died')
        own.fault = undefined
        own.users.fault = undefined
        const [again] = await own.repair()
        expect(['repaired', 'unchanged']).toContain(again?.outcome)
        meanings.push(await meaningOf(own.users, 'user-0'))
        expect(await openReasons(own)).toEqual([])
        expect([...own.archive.objects.keys()].filter(key => key.startsWith(CORRUPT_PREFIX))).toHaveLength(1)
        await expectVerified(own)
      } finally {
        own.remove()
      }
    }
    for (const meaning of meanings) expect(meaning).toEqual(meanings[0])
  })
})
