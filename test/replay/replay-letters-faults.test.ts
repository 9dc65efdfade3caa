// What may come between: a crash at any call, the stream, a rebuild that looked before the replay and wrote after it; and letters that
// are ahead of their arrival, which everybody must judge alike afterwards.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listLetters } from '../../src/archive/letters.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { LineSpool } from '../../src/platform/line-spool.ts'
import { recordKey } from '../../src/replay/counted-events.ts'
import { spooledAccepted, spoolOpenLetters } from '../../src/replay/open-letters.ts'
import { type EventCounts, bucketEvents } from '../../src/replay/training-events.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { collect } from '../archive/factories.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { after, followed, orders, readUser } from './backfill-world.ts'
import { type ReplayWorld, replayWorld } from './replay-world.ts'

const DAY_MS = 86_400_000

let world: ReplayWorld
beforeEach(() => {
  world = replayWorld()
})
afterEach(() => world.remove())

const ordersEver = async (userId: string) => (await readUser(world.users, userId)).values['ordersEver']
const named = (...userIds: string[]) => ({ target: { kind: 'named' }, only: new Set(userIds) }) as const

async function expectEqual(of: ReplayWorld, records: readonly StreamRecord[]): Promise<void> {
  const due = await followed(records)
  for (const { userId } of due.items()) {
    expect((await readUser(of.users, userId)).values).toEqual((await readUser(due, userId)).values)
  }
  const { counts } = await of.verify()
  expect(counts).toMatchObject({ missing: 0, extra: 0, different: 0, matched: due.items().length })
}

/** A week of orders of three users, some of them refused, one of them late, one sent twice. */
async function prepare(): Promise<readonly StreamRecord[]> {
  const records = orders(3, 8)
  await world.send(records.slice(0, 6))
  await world.sendRefused(records.slice(6, 18))
  await world.send(records.slice(18))
  const late = orderRecord('late', 90, { user: 'user-0', ts: START - 40 * DAY_MS })
  await world.send([late])
  const twice = { ...(records[7] as StreamRecord), sequence: '91' }
  await world.sendRefused([twice])
  // Late only where the others were first.
  return [late, ...records.slice(0, 7), twice, ...records.slice(7)]
}

describe('a replay that died', () => {
  /** How many calls a whole replay makes. */
  async function callsOfOne(kind: 'store' | 'archive'): Promise<number> {
    const before = world
    world = replayWorld()
    try {
      await prepare()
      let calls = 0
      if (kind === 'archive') world.fault = () => void calls++
      else world.users.fault = () => void calls++
      await world.replay({ recordsMax: 5 })
      return calls
    } finally {
      world.remove()
      world = before
    }
  }

  /** Of the calls of the archive, of which there are hundreds, every eighth in one test. */
  const PARTS = 8
  const parts = (['store', 'archive'] as const).flatMap(kind =>
    Array.from({ length: kind === 'store' ? 1 : PARTS }, (_, part) => [kind, part + 1] as const),
  )

  it.each(parts)(
    'at any call of the %s is finished by the next one, and closes each letter once, part %i',
    async (kind, part) => {
      const total = await callsOfOne(kind)
      expect(total).toBeGreaterThan(8)
      for (let at = part; at <= total; at += kind === 'store' ? 1 : PARTS) {
        world.remove()
        world = replayWorld()
        const records = await prepare()
        dieAt(kind, at)
        await world.replay({ recordsMax: 5 }).catch(() => undefined)
        world.fault = undefined
        world.users.fault = undefined
        await world.replay({ recordsMax: 5 })
        expect(await world.openLetters(), `${kind} ${at}`).toEqual([])
        await expectEqual(world, records)
        expect((await world.closings()).size).toBe(14)
      }
    },
  )

  /** From then on nothing is answered; what was under way then may be applied. */
  function dieAt(kind: 'store' | 'archive', at: number): void {
    const died = new Error('died')
    let calls = 0
    if (kind === 'archive') {
      world.fault = () => {
        if (++calls >= at) throw died
      }
    } else {
      world.users.fault = () => {
        calls++
        return calls > at ? { throwBefore: died } : calls === at ? { throwAfter: died } : undefined
      }
    }
  }
})

describe('a rebuild beside a replay', () => {
  const letters = orders(1, 4)

  it('between its fold and its closing counts what was folded, and the closed letter is counted after it', async () => {
    const recent = [1, 2, 3].map(id => orderRecord(`r${id}`, 10 + id, { user: 'user-0' }))
    await world.send([recent[0] as StreamRecord])
    await world.sendRefused(recent.slice(1))
    let isBetween = false
    world.fault = ({ operation, key }) => {
      if (operation === 'create' && key.startsWith('closed/') && !isBetween) {
        isBetween = true
        throw new Error('died')
      }
    }
    await expect(world.replay()).rejects.toThrow('died')
    expect(await world.openLetters()).toHaveLength(2)
    // verify follows the same rule, and was written apart.
    expect((await world.verify()).counts).toMatchObject({ matched: 1, different: 0 })
    expect(await world.backfill(named('user-0'))).toMatchObject({ unchanged: 1 })
    expect(await ordersEver('user-0')).toBe(3)
    await world.replay()
    expect(await world.openLetters()).toEqual([])
    await expectEqual(world, recent)
  })

  it('whose put comes between fold and closing, though the item has let go of the ids, loses nothing', async () => {
    await world.sendRefused(letters)
    let hasRun = false
    const create = world.archive.create.bind(world.archive)
    world.archive.create = async (key, ...rest) => {
      if (key.startsWith('closed/') && !hasRun) {
        hasRun = true
        await world.backfill(named('user-0'))
        // All but the newest event were forgotten by the lateness, and so left out.
        expect(await ordersEver('user-0')).toBe(1)
      }
      return create(key, ...rest)
    }
    const report = await world.replay()
    expect(hasRun).toBe(true)
    expect(report.rebuild).toMatchObject({ written: 1 })
    await expectEqual(world, letters)
  })

  it('that began before a replay and wrote after it hears what was closed meanwhile', async () => {
    await world.sendRefused(letters)
    const loadMany = world.users.loadMany.bind(world.users)
    let isReplayed = false
    // The first item that the rebuild reads is read after a whole replay, its letters were read before.
    world.users.loadMany = async userIds => {
      if (!isReplayed) {
        isReplayed = true
        await world.replay()
        expect(await ordersEver('user-0')).toBe(4)
      }
      return loadMany(userIds)
    }
    await world.backfill(named('user-0'))
    world.users.loadMany = loadMany
    expect(isReplayed).toBe(true)
    await expectEqual(world, letters)
  })
})

describe('letters that are ahead of their arrival', () => {
  const ahead = orderRecord('ahead', 5, { user: 'user-0', ts: START + 2 * DAY_MS })
  const record = { ...ahead, arrivalMs: START + DAY_MS }
  const further = {
    ...orderRecord('further', 6, { user: 'user-0', ts: START + 900 * DAY_MS }),
    arrivalMs: START + DAY_MS,
  }
  const usual = orderRecord('usual', 1, { user: 'user-0' })

  beforeEach(() => world.send([usual, record, further]))

  it('stay open unless they are accepted, and then those that have come to be in the past are counted by everybody', async () => {
    expect(await world.openLetters()).toEqual(['future 5', 'future 6'])
    expect((await world.replay()).byReason['future']).toMatchObject({ refused: 2, firstRefusal: { reason: 'future' } })
    const preview = await world.preview({ isFutureAccepted: true })
    expect(preview.byReason['future']).toMatchObject({ rebuild: 1, refused: 1 })
    const report = await world.replay({ isFutureAccepted: true })
    expect(report.byReason['future']).toMatchObject({ rebuild: 1, rebuilt: 1, refused: 1 })
    expect(await world.openLetters()).toEqual(['future 6'])
    const { values } = await readUser(world.users, 'user-0')
    expect(values['ordersEver']).toBe(2)
    expect((await world.verify()).counts).toMatchObject({ matched: 1, different: 0 })
    // Whoever rebuilds judges it as the replay did, however much later.
    world.nowMs += 2000 * DAY_MS
    expect(await world.backfill(named('user-0'))).toMatchObject({ unchanged: 1 })
    expect((await world.verify()).counts).toMatchObject({ matched: 1, different: 0 })
    const closed = (await collect(listLetters(world.archive, { isAll: true })))[0]
    expect(closed?.acceptedMs).toBe(START + 100 * DAY_MS)
  })

  it('count by what their closing says alone, once the item has let go of their ids', async () => {
    await world.replay({ isFutureAccepted: true })
    await world.send([orderRecord('newer', 9, { user: 'user-0', ts: START + 50 * DAY_MS })])
    expect((await readUser(world.users, 'user-0')).ids).toHaveLength(1)
    expect(await world.backfill(named('user-0'))).toMatchObject({ unchanged: 1 })
    expect(await ordersEver('user-0')).toBe(3)
    expect((await world.verify()).counts).toMatchObject({ matched: 1, different: 0 })
  })

  it('are in training sets once they are accepted, and not before', async () => {
    const idsOfTraining = async (): Promise<readonly string[]> => {
      const spool = new LineSpool(world.spoolDir, 'training')
      await spoolOpenLetters(world.archive, spool)
      const bucket = userBucket('user-0')
      const history = await world.open()
      const open = new Set<string>()
      for await (const letter of listLetters(world.archive)) open.add(recordKey(letter))
      const counts: EventCounts = { events: 0, duplicates: 0, refused: 0, openLetters: 0 }
      const accepted = await spooledAccepted(spool, bucket)
      const options = { history, compiled: after, known: 'arrival', openLetters: open, accepted, counts } as const
      const events = await collect(bucketEvents(bucket, { ...options, userIds: undefined, spoolDir: world.spoolDir }))
      spool.remove()
      await history.close()
      return events.map(({ event }) => event.id)
    }
    expect(await idsOfTraining()).toEqual(['usual'])
    await world.replay({ isFutureAccepted: true })
    expect((await idsOfTraining()).toSorted()).toEqual(['ahead', 'usual'])
  })

  it('are not lost by a crash between the write and the closing, nor by a rebuild then', async () => {
    world.fault = ({ operation, key }) => {
      if (operation === 'create' && key.startsWith('closed/')) throw new Error('died')
    }
    await expect(world.replay({ isFutureAccepted: true })).rejects.toThrow('died')
    world.fault = undefined
    expect((await world.verify()).counts).toMatchObject({ matched: 1, different: 0 })
    expect(await world.backfill(named('user-0'))).toMatchObject({ unchanged: 1 })
    expect(await world.openLetters()).toContain('future 5')
    await world.replay({ isFutureAccepted: true })
    expect(await world.openLetters()).toEqual(['future 6'])
    expect((await world.verify()).counts).toMatchObject({ matched: 1, different: 0 })
  })
})

describe('a preview', () => {
  it('holds no more payloads than fit into memory, and each user’s at once', async () => {
    const records = Array.from({ length: 36 }, (_, index) => {
      const record = orderRecord(index, index + 1, { user: `user-${index % 18}` })
      const payload = JSON.parse(Buffer.from(record.dataBase64, 'base64').toString()) as object
      const data = JSON.stringify({ ...payload, note: 'x'.repeat(800_000) })
      return { ...record, dataBase64: Buffer.from(data).toString('base64') }
    })
    await world.sendRefused(records.slice(0, 18))
    await world.sendRefused(records.slice(18))
    world.users.resetCounters()
    expect((await world.preview()).byReason['unknown-type']).toMatchObject({ letters: 36, folded: 36 })
    // 38 million characters in base64: of all 18 users in one go they would be held together.
    expect(world.users.counters).toMatchObject({ loadManyCalls: 2, keysRead: 18 })
  })

  it('says what the replay then does, and touches nothing', async () => {
    await prepare()
    const before = await world.bytes()
    world.users.resetCounters()
    const preview = await world.preview()
    expect(await world.bytes()).toBe(before)
    expect(world.users.counters.puts).toBe(0)
    const ends = ({ byReason }: typeof preview) =>
      Object.fromEntries(
        Object.entries(byReason).map(([reason, { letters, folded, duplicate, rebuild, refused }]) => [
          reason,
          { letters, folded, duplicate, rebuild, refused },
        ]),
      )
    expect(ends(preview)['late']).toEqual({ letters: 1, folded: 0, duplicate: 0, rebuild: 1, refused: 0 })
    expect(ends(await world.replay())).toEqual(ends(preview))
  })

  it('refuses repeats of an event with it where the item would be too big, as the replay does', async () => {
    await world.send(orders(1, 3))
    world.users.plant({ ...world.users.raw('user-0'), note: { S: 'x'.repeat(70_000) } })
    const ts = START + 91 * 86_400_000
    await world.sendRefused([4, 5].map(sequence => orderRecord('same', sequence, { user: 'user-0', ts })))
    const preview = await world.preview()
    expect(preview.byReason['unknown-type']).toMatchObject({ letters: 2, refused: 2 })
    expect((await world.replay()).byReason).toEqual(preview.byReason)
  })
})
