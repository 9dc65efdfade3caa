import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { openGivenUp } from '../../src/status/set-aside.ts'
import { failureObject, GIVEN_UP_KEY } from '../archive/factories.ts'
import { START } from '../features/factories.ts'
import { orderRecord, rawRecord } from '../recompute/harness.ts'
import { followed, orders, readUser } from './backfill-world.ts'
import { type ReplayWorld, replayWorld } from './replay-world.ts'

const DAY_MS = 86_400_000

let world: ReplayWorld
beforeEach(() => {
  world = replayWorld()
})
afterEach(() => world.remove())

/** The stream's own words, and verify's, which was written apart from it. */
async function expectEqual(records: readonly StreamRecord[]): Promise<void> {
  const due = await followed(records)
  for (const { userId } of due.items()) {
    const [found, wanted] = [await readUser(world.users, userId), await readUser(due, userId)]
    expect({ values: found.values, ids: found.ids.toSorted() }).toEqual({
      values: wanted.values,
      ids: wanted.ids.toSorted(),
    })
  }
  const { counts } = await world.verify()
  expect(counts).toMatchObject({ missing: 0, extra: 0, different: 0, matched: due.items().length })
}

describe('letters that are accepted today', () => {
  it('are folded with one write a user, and closed', async () => {
    const records = orders(3, 10)
    await world.sendRefused(records)
    world.users.resetCounters()
    const progress: number[][] = []
    const report = await world.replay({ onProgress: (done, total) => void progress.push([done, total]) })
    expect(report).toMatchObject({ letters: 30, rebuild: undefined })
    expect(report.byReason['unknown-type']).toMatchObject({ letters: 30, folded: 30, refused: 0, rebuilt: 0 })
    expect(progress).toEqual([[30, 30]])
    expect(world.users.counters.puts).toBe(3)
    expect(await world.openLetters()).toEqual([])
    await expectEqual(records)
    const after = await world.bytes()
    expect(await world.replay()).toMatchObject({ letters: 0 })
    expect(await world.bytes()).toBe(after)
  })

  it('are folded in batches in the order of the stream, beside neighbours that are there already', async () => {
    const records = orders(2, 20)
    await world.send(records.slice(0, 10))
    await world.sendRefused(records.slice(10, 30))
    await world.send(records.slice(30))
    const report = await world.replay({ recordsMax: 7 })
    const { folded = 0, rebuilt = 0 } = report.byReason['unknown-type'] ?? {}
    expect(folded + rebuilt).toBe(20)
    await expectEqual(records)
  })

  it('are chosen by reason, arrival, type and name', async () => {
    const records = orders(1, 6)
    await world.sendRefused(records)
    await world.send([rawRecord('{', 90, 'user-0')])
    const arrivals = records.map(({ arrivalMs }) => arrivalMs)
    expect((await world.replay({ choice: { reason: 'contract' } })).letters).toBe(0)
    expect((await world.replay({ choice: { type: 'site.visited' } })).letters).toBe(0)
    const names = new Set(['events@1/shardId-000000000000/1', 'events@1/shardId-000000000000/77'])
    expect((await world.replay({ choice: { records: names } })).letters).toBe(1)
    expect((await world.replay({ choice: { fromMs: arrivals[1], toMs: arrivals[3] } })).letters).toBe(2)
    expect((await world.replay({ choice: { type: 'order.placed' } })).letters).toBe(3)
    expect(await world.openLetters()).toEqual(['not-json 90'])
    await expectEqual(records)
  })
})

describe('letters that are refused again', () => {
  it('stay open, without another letter, and the first refusal is told', async () => {
    const keyed = { ...orderRecord('k', 3, { user: 'user-9' }), partitionKey: 'user-0' }
    await world.send([rawRecord('{', 1, 'user-0'), rawRecord('[', 2, 'user-0'), keyed])
    const before = await world.bytes()
    const report = await world.replay()
    expect(report.byReason['not-json']).toMatchObject({ letters: 2, refused: 2, firstRefusal: { reason: 'not-json' } })
    expect(report.byReason['mis-keyed']).toMatchObject({ refused: 1, firstRefusal: { reason: 'mis-keyed' } })
    expect(await world.bytes()).toBe(before)
    expect(await world.openLetters()).toHaveLength(3)
  })

  it('do not keep back a letter that was refused for a mistake of its reader', async () => {
    const record = orderRecord('k', 3, { user: 'user-0' })
    await writeDeadLetters(world.archive, [{ record, refusal: { reason: 'mis-keyed', detail: 'By old code.' } }])
    await world.store([record])
    expect((await world.replay()).byReason['mis-keyed']).toMatchObject({ folded: 1 })
    await expectEqual([record])
  })
})

describe('letters that only history can count', () => {
  it('are counted by rebuilding their users, and no other letter of theirs is', async () => {
    const late = [1, 2].map(id => orderRecord(`late${id}`, 10 + id, { user: 'user-0', ts: START - 40 * DAY_MS + id }))
    const records = orders(1, 5)
    await world.send(records)
    await world.send(late)
    const chosen = new Set(['events@1/shardId-000000000000/11'])
    const report = await world.replay({ choice: { records: chosen } })
    expect(report.byReason['late']).toMatchObject({ letters: 1, rebuild: 1, rebuilt: 1 })
    expect(report.rebuild).toMatchObject({ users: 1, written: 1, lettersClosed: 1, lettersLeft: 0 })
    expect(await world.openLetters()).toEqual(['late 12'])
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(6)
    expect((await world.verify()).counts).toMatchObject({ matched: 1, different: 0 })
  })

  it('wait for the archive, and are left open where it does not come', async () => {
    await world.send(orders(1, 5))
    await world.deliver([orderRecord('late', 11, { user: 'user-0', ts: START - 40 * DAY_MS })])
    const report = await world.replay()
    expect(report.byReason['late']).toMatchObject({ rebuild: 1, rebuilt: 0 })
    expect(await world.openLetters()).toEqual(['late 11'])
  })

  it('are duplicates where upstream has sent the event again: the one that arrived first counts, for verify too', async () => {
    const first = orderRecord('same', 1, { user: 'user-0', ts: START, amount: 10 })
    const again = orderRecord('same', 2, { user: 'user-0', ts: START, amount: 99 })
    await world.sendRefused([first])
    await world.send([again])
    const report = await world.replay()
    expect(report.byReason['unknown-type']).toMatchObject({ duplicate: 1, folded: 0, rebuilt: 1 })
    expect(await world.openLetters()).toEqual([])
    expect((await readUser(world.users, 'user-0')).values['dearest']).toBe(10)
    expect((await world.verify()).counts).toMatchObject({ matched: 1, different: 0 })
  })

  it('are the second of two letters of one event, and count once', async () => {
    await world.sendRefused([1, 2].map(sequence => orderRecord('same', sequence, { user: 'user-0' })))
    const report = await world.replay()
    expect(report.byReason['unknown-type']).toMatchObject({ folded: 1, duplicate: 1, rebuilt: 1 })
    expect((await readUser(world.users, 'user-0')).values['ordersEver']).toBe(1)
    expect(await world.openLetters()).toEqual([])
  })
})

describe('a batch that Lambda gave up on', () => {
  it('is replayed like letters, but for what the archive does not have', async () => {
    const records = orders(2, 10)
    const lost = records.slice(8, 12)
    await world.send([...records.slice(0, 8), ...records.slice(12)])
    await world.store(lost.slice(0, 3))
    await world.archive.create(GIVEN_UP_KEY, failureObject(lost))
    const report = await world.replay({ choice: { reason: 'given-up' } })
    expect(report.byReason['given-up']).toMatchObject({ letters: 4, rebuild: 3, rebuilt: 3, left: 1 })
    await world.store(lost)
    expect((await world.replay()).byReason['given-up']).toMatchObject({ letters: 1, rebuilt: 1 })
    await expectEqual(records)
    expect(await world.openLetters()).toEqual([])
  })

  it('is over where a record is refused for good, which is a dead letter of its own then', async () => {
    const lost = [orderRecord('lost', 1, { user: 'user-0' }), rawRecord('{', 2, 'user-0')]
    await world.store(lost)
    await world.archive.create(GIVEN_UP_KEY, failureObject(lost))
    const before = await world.bytes()
    expect((await world.preview()).byReason['given-up']).toMatchObject({ folded: 1, refused: 1 })
    expect(await world.bytes()).toBe(before)
    expect((await world.replay()).byReason['given-up']).toMatchObject({ letters: 2, folded: 1, refused: 1 })
    expect(await world.openLetters()).toEqual(['not-json 2'])
    expect(await openGivenUp(world.archive, { isTimeUp: () => false })).toMatchObject({ count: 0 })
    expect(await world.replay({ choice: { reason: 'given-up' } })).toMatchObject({ letters: 0 })
  })
})

it('keeps a pace', async () => {
  await world.sendRefused(orders(4, 1))
  const startMs = world.nowMs
  await world.replay({ writesPerSecond: 2 })
  expect(world.nowMs - startMs).toBe(1500)
})

it('ends with an error where no user can be written at all, and leaves the letters open', async () => {
  await world.sendRefused(orders(2, 1))
  world.users.fault = ({ operation }) => (operation === 'put' ? { throwBefore: new Error('down') } : undefined)
  await expect(world.replay()).rejects.toThrow('down')
  expect(await world.openLetters()).toHaveLength(2)
  world.users.fault = ({ operation, userIds }) =>
    operation === 'put' && userIds.includes('user-1') ? { throwBefore: new Error('down') } : undefined
  expect((await world.replay()).byReason['unknown-type']).toMatchObject({ folded: 1, left: 1 })
  expect(await world.openLetters()).toHaveLength(1)
})
