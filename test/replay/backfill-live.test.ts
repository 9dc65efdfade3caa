// A backfill while the stream runs: batches that fail and come again, late and repeated events, an archive that lags, a deploy at
// some moment, runs that die. At the end nothing is lost and nothing doubled, whatever came between what.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { listDeadLetters } from '../../src/archive/dead-letters.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { decodeRecord, isRefusal } from '../../src/event/decode.ts'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import { evaluateFeatures } from '../../src/features/evaluate.ts'
import { foldState, stateJson, type UserState } from '../../src/features/state.ts'
import { type Random, seededRandom } from '../../src/platform/random.ts'
import type { BackfillRequest } from '../../src/replay/backfill.ts'
import { recordKey } from '../../src/replay/counted-events.ts'
import { verifyUsers } from '../../src/replay/verify.ts'
import { isCorrupt } from '../../src/store/user-item.ts'
import { PROPERTY_MS_MAX, propertyRuns } from '../features/property-runs.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { after, before, type BackfillWorld, backfillWorld, itemOf, readUser, turns } from './backfill-world.ts'

const HOUR_MS = 3_600_000
const LATE_LETTERS = { kind: 'letters', reason: 'late' } as const
const USERS = ['ana', 'ben', 'eve']
const SHARDS = ['shardId-000000000000', 'shardId-000000000001']

it(
  'loses nothing and doubles nothing, and the next run writes nothing',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 10, max: 60 }), async (seed, length) => {
        const world = backfillWorld()
        try {
          await interleave(world, deliveries(seededRandom(seed), length), seededRandom(seed + 1))
          await settleAll(world)
        } finally {
          world.remove()
        }
      }),
      propertyRuns(12),
    )
  },
  // A run is some backfills, not one fold.
  10 * PROPERTY_MS_MAX,
)

/** By shard: events in about the order of their times, some far too late, some twice. */
function deliveries(random: Random, length: number): StreamRecord[][] {
  const all: StreamRecord[] = []
  for (let sequence = 1; sequence <= length; sequence++) {
    const again = all[Math.floor(random() * all.length)]
    if (random() < 0.15 && again !== undefined) {
      all.push({ ...again, sequence: `${sequence}`, arrivalMs: START + sequence * 12 * HOUR_MS })
      continue
    }
    const lateMs = random() < 0.3 ? random() * (random() < 0.5 ? 5 : 400) * HOUR_MS : 0
    const user = USERS[Math.floor(random() * random() * USERS.length)] ?? 'ana'
    const ts = Math.floor(START + sequence * 12 * HOUR_MS - lateMs)
    const shard = SHARDS[USERS.indexOf(user) % 2] ?? ''
    all.push({
      ...orderRecord(`o${sequence}`, sequence, { user, ts }),
      shard,
      arrivalMs: START + sequence * 12 * HOUR_MS,
    })
  }
  return SHARDS.map(shard => all.filter(record => record.shard === shard))
}

async function interleave(world: BackfillWorld, shards: readonly StreamRecord[][], random: Random): Promise<void> {
  const pause = (most: number): Promise<void> => turns(Math.floor(random() * most))
  // A batch under way ends within the time for letters.
  world.onSleep = ms => (ms < 5000 ? pause(3) : turns(80))
  world.users.fault = ({ operation }) => {
    const delayMs = Math.floor(random() * 3)
    if (operation === 'put' && random() < 0.05) return { delayMs, throwBefore: new Error('store') }
    return operation === 'put' && random() < 0.05 ? { delayMs, throwAfter: new Error('store') } : { delayMs }
  }
  const actors = shards.flatMap(records => [
    live(world, records, random, pause),
    archive(world, records, random, pause),
  ])
  await Promise.all([
    ...actors,
    (async () => {
      await pause(60)
      world.live = after
    })(),
    (async () => {
      for (let run = 0; run < 4; run++) {
        await pause(40)
        await untilDone(world, { waitMs: 5000 })
        if (random() < 0.3) await untilDone(world, { target: { kind: 'doubt' }, waitMs: 5000 })
        if (random() < 0.3) await untilDone(world, { target: LATE_LETTERS, waitMs: 5000 })
      }
    })(),
  ])
  world.users.fault = undefined
}

const died = new WeakSet<BackfillWorld>()

/** A run that meets a store that fails dies, leaves what it wrote, and is run again. */
async function untilDone(world: BackfillWorld, request: Partial<BackfillRequest>): Promise<void> {
  for (;;) {
    try {
      await world.backfill(request)
      return
    } catch (error) {
      if (!(error instanceof Error) || error.message !== 'store') throw error
      died.add(world)
    }
  }
}

/** As Lambda does: again from the first record that failed, and now and then once more from a little before. */
async function live(
  world: BackfillWorld,
  records: readonly StreamRecord[],
  random: Random,
  pause: (most: number) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < records.length; ) {
    await pause(8)
    const batch = records.slice(from, from + 1 + Math.floor(random() * 6))
    const { failedSequence } = await world.deliver(batch)
    if (failedSequence !== undefined) from = records.findIndex(({ sequence }) => sequence === failedSequence)
    else if (random() < 0.9) from += batch.length
  }
}

async function archive(
  world: BackfillWorld,
  records: readonly StreamRecord[],
  random: Random,
  pause: (most: number) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < records.length; ) {
    await pause(30)
    const batch = records.slice(from, from + 1 + Math.floor(random() * 10))
    await world.store(batch)
    if (random() < 0.9) from += batch.length
  }
}

/** Everything is delivered and archived: backfill, doubt, late letters; then all is as if folded at once. */
async function settleAll(world: BackfillWorld): Promise<void> {
  const archived = await allRecords(world)
  expect(await world.backfill()).toMatchObject({ waiting: 0 })
  await world.backfill({ target: { kind: 'doubt' } })
  // One that dies while a letter is on its way may have counted its record; verify would name the user.
  if (died.has(world)) await world.backfill({ target: { kind: 'named' }, only: new Set(USERS) })
  const open = new Set<string>()
  for await (const letter of listDeadLetters(world.archive)) open.add(recordKey(letter))
  await expectFolded(
    world,
    archived.filter(record => !open.has(recordKey(record))),
  )
  await world.backfill({ target: LATE_LETTERS })
  await expectFolded(world, archived)
  await expectVerified(world)
  world.users.resetCounters()
  expect(await world.backfill()).toMatchObject({ users: 0 })
  expect(await world.backfill({ target: { kind: 'named' }, only: new Set(USERS) })).toMatchObject({ written: 0 })
  expect(world.users.counters.puts).toBe(0)
}

/** What shares no code with the fold has nothing to say either. */
async function expectVerified(world: BackfillWorld): Promise<void> {
  const report = await verifyUsers({
    compiled: after,
    users: world.users,
    archive: world.archive,
    openHistory: () => world.open(),
    sleep: async () => undefined,
    which: { kind: 'all' },
    atMs: world.nowMs,
    waitMs: 0,
    spoolDir: world.spoolDir,
  })
  expect(report.counts).toMatchObject({ missing: 0, extra: 0, different: 0, backfilling: 0 })
}

async function allRecords(world: BackfillWorld): Promise<StreamRecord[]> {
  const history = await world.open()
  const records: StreamRecord[] = []
  for (let bucket = 0; bucket < 64; bucket++) {
    for await (const record of history.bucket(bucket)) if (record.kind === 'stream') records.push(record.record)
  }
  await history.close()
  return records
}

async function expectFolded(world: BackfillWorld, records: readonly StreamRecord[]): Promise<void> {
  for (const item of world.users.items()) {
    if (isCorrupt(item)) throw new Error('corrupt')
    const events = eventsOf(records, item.userId)
    const { state } = foldState({
      plan: after.features,
      state: Object.fromEntries([...after.features.states.keys()].map(key => [key, { whole: 1 }])) as UserState,
      previousAt: item.at,
      previousVersion: 1,
      events,
    })
    const now = await readUser(world.users, item.userId)
    expect(stateJson(now.state)).toBe(stateJson(state))
    expect(now.pending).toEqual({})
    expect(now.values).toEqual(evaluateFeatures(after.features, state, item.at, item.at).values)
    expect(now.values['ordersEver']).toBe(events.length)
    expect((await itemOf(world.users, item.userId)).v).toBeLessThan(100)
  }
  const withEvents = new Set(records.map(({ partitionKey }) => partitionKey))
  expect(world.users.items().map(({ userId }) => userId)).toEqual(expect.arrayContaining([...withEvents]))
}

function eventsOf(records: readonly StreamRecord[], userId: string): DecodedEvent[] {
  const byId = new Map<string, DecodedEvent>()
  for (const record of records) {
    const event = decodeRecord(record, before.contracts)
    if (!isRefusal(event) && event.userId === userId) byId.set(event.idHash, event)
  }
  return [...byId.values()]
}
