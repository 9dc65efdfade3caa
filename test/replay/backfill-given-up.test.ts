// Batches that Lambda gave up on: left out by every rebuild, until one is asked to count them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forgottenName, forgottenPrefix, HMAC_KEY_OBJECT } from '../../src/archive/forgotten.ts'
import { listLetters } from '../../src/archive/letters.ts'
import { listDeadLetters } from '../../src/archive/dead-letters.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import type { BackfillCounts } from '../../src/replay/backfill-settle.ts'
import { writeRefused } from '../../src/replay/refuse-given-up.ts'
import { openDeadLetters, openGivenUp } from '../../src/status/set-aside.ts'
import { isCorrupt } from '../../src/store/user-item.ts'
import { collect, failureObject, GIVEN_UP_KEY } from '../archive/factories.ts'
import { START } from '../features/factories.ts'
import { orderRecord, rawRecord, shop } from '../recompute/harness.ts'
import { after, before, type BackfillWorld, backfillWorld, followed, orders, readUser } from './backfill-world.ts'

const DAY_MS = 86_400_000
const KEY = '0'.repeat(64)

let world: BackfillWorld
beforeEach(() => {
  world = backfillWorld()
  world.live = after
})
afterEach(() => world.remove())

const letters = (reason: string): Promise<BackfillCounts> => world.backfill({ target: { kind: 'letters', reason } })

describe('a batch that Lambda gave up on', () => {
  it('is left out although Lambda wrote it down while its user was rebuilt', async () => {
    const lost = orderRecord('lost', 6, { user: 'user-0', ts: START - 40 * DAY_MS })
    const next = orderRecord('next', 7, { user: 'user-0', ts: START + 95 * DAY_MS })
    world.live = before
    await world.send(orders(1, 5))
    await world.store([lost, next])
    // The shard has gone on, so the mark is past what was lost, and its id is older than all that are kept.
    await world.deliver([next])
    world.users.fault = ({ operation }) => {
      if (operation === 'put') void world.archive.create(GIVEN_UP_KEY, failureObject([lost]))
      return undefined
    }
    await world.backfill({ waitMs: 5000 })
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(6)
    world.users.fault = undefined
    expect(await letters('given-up')).toMatchObject({ written: 1, lettersClosed: 1 })
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(7)
  })

  it('is counted and closed when it is asked for, and by nothing else', async () => {
    const records = orders(2, 10)
    const lost = records.slice(8, 12)
    await world.send([...records.slice(0, 8), ...records.slice(12)])
    await world.store(lost)
    await world.archive.create(GIVEN_UP_KEY, failureObject(lost))
    await world.backfill({ target: { kind: 'named' }, only: new Set(['user-0', 'user-1']) })
    const without = await followed([...records.slice(0, 8), ...records.slice(12)])
    expect(await readUser(world.users, 'user-0')).toEqual(await readUser(without, 'user-0'))
    expect(await letters('given-up')).toMatchObject({ written: 2, lettersClosed: 4, lettersLeft: 0 })
    expect(await readUser(world.users, 'user-1')).toEqual(await readUser(await followed(records), 'user-1'))
    expect(await letters('given-up')).toMatchObject({ users: 0 })
    expect(await world.backfill({ target: { kind: 'named' }, only: new Set(['user-0', 'user-1']) })).toMatchObject({
      unchanged: 2,
    })
    expect(world.users.items().every(item => !isCorrupt(item))).toBe(true)
  })

  it('is over although it holds what never was an event: that is a dead letter of its own, once, with its reason', async () => {
    const [first, good] = orders(1, 2) as [StreamRecord, StreamRecord]
    const lost = [
      good,
      rawRecord('{', 3, 'user-0'),
      { ...orderRecord('other', 4, { user: 'user-1' }), partitionKey: 'user-2' },
    ]
    await world.send([first])
    await world.store(lost)
    await world.archive.create(GIVEN_UP_KEY, failureObject(lost))
    expect(await letters('given-up')).toMatchObject({
      written: 1,
      lettersClosed: 1,
      lettersLeft: 0,
      lettersRefused: 2,
    })
    const named = await collect(listLetters(world.archive))
    expect(named.map(({ reason, sequence }) => `${reason} ${sequence}`)).toEqual(['not-json 3', 'mis-keyed 4'])
    const patient = { isTimeUp: () => false }
    expect(await openGivenUp(world.archive, patient)).toMatchObject({ count: 0, isComplete: true })
    expect(await openDeadLetters(world.archive, shop, patient)).toMatchObject({ count: 2 })
    expect(await letters('given-up')).toMatchObject({ users: 0, lettersRefused: 0, lettersLeft: 0 })
    expect(await collect(listDeadLetters(world.archive, { isAll: true }))).toHaveLength(2)
  })

  it('stays open with what the archive does not have, and where nobody asked for the user', async () => {
    const lost = [rawRecord('{', 1, 'user-0'), rawRecord('{', 2, 'user-1')]
    await world.store(lost.slice(0, 1))
    await world.archive.create(GIVEN_UP_KEY, failureObject(lost))
    const target = { kind: 'letters', reason: 'given-up' } as const
    expect(await world.backfill({ target, only: new Set(['user-2']) })).toMatchObject({ lettersRefused: 0 })
    expect(await world.backfill({ target, isDryRun: true })).toMatchObject({ lettersRefused: 0 })
    expect(await letters('given-up')).toMatchObject({ lettersRefused: 1, lettersLeft: 1 })
    expect(await openGivenUp(world.archive, { isTimeUp: () => false })).toMatchObject({ count: 1 })
    await world.store(lost)
    expect(await letters('given-up')).toMatchObject({ lettersRefused: 1, lettersLeft: 0 })
    expect((await collect(listLetters(world.archive))).map(({ reason }) => reason)).toEqual(['not-json', 'not-json'])
  })

  it('makes no letter of who was forgotten after letters were listed', async () => {
    const refused = [rawRecord('{', 1, 'user-0'), rawRecord('{', 2, 'user-1')]
    await world.archive.create(HMAC_KEY_OBJECT, Buffer.from(JSON.stringify({ key: KEY })))
    const name = forgottenPrefix('user-0', KEY) + forgottenName(START + 365 * DAY_MS)
    await world.archive.create(name, Buffer.from('{}'))
    const chosen = refused.map(record => ({ record, reason: 'given-up' }))
    expect(await writeRefused(chosen, { archive: world.archive, compiled: compilePipeline(shop) })).toBe(1)
    const written = await collect(listDeadLetters(world.archive, { isAll: true }))
    expect(written.map(({ partitionKey }) => partitionKey)).toEqual(['user-1'])
  })
})
