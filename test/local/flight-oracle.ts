// What must be there once a stream of flights has been dealt with, worked out again from the stream itself: which records were folded,
// were duplicates, or have a dead letter, and what every user's item must say. It shares no code with the fold.
import { deepStrictEqual, ok, strictEqual } from 'node:assert'
import { createHash } from 'node:crypto'
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis'
import { type DeadLetter, listDeadLetters } from '../../src/archive/dead-letters.ts'
import { listDoubt } from '../../src/archive/doubt.ts'
import { withHistoryViews } from '../../src/cli/history-views.ts'
import type { Connection } from '../../src/compose/connect.ts'
import { createPredictor } from '../../src/compose/predictor.ts'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import { HOUR_MS } from '../../src/platform/duration.ts'
import flights from '../../src/pipeline/index.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { backfill } from '../../src/replay/backfill.ts'
import { obviousAnswers, valueDiffers } from '../../src/replay/obvious-features.ts'
import { readBody } from '../../src/store/item-codec.ts'
import { isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import type { FlightTraffic } from './flight-traffic.ts'

export interface StreamedFlight {
  readonly key: string
  readonly partitionKey: string
  readonly data: Buffer
}

export interface FlightCounts {
  readonly input: number
  readonly folded: number
  readonly duplicates: number
  readonly deadLetters: number
  readonly late: number
  /** Records that an item could not tell folded from skipped; their users were rebuilt before the comparison. */
  readonly doubted: number
  readonly users: number
}

/** As in src/pipeline/events.ts and src/affected/decide.ts: an event may be late where either says so. */
const LATENESS_MS = 12 * HOUR_MS
const RECENT_IDS = 128
const READ_RECORDS = 10_000
const BACKFILL_WAIT_MS = 30_000

/** Rebuilds whom the doubt names, then compares everything. Throws AssertionError where anything differs. */
export async function checkFlights(
  connection: Connection,
  kinesis: KinesisClient,
  traffic: FlightTraffic,
): Promise<FlightCounts> {
  const doubted = await rebuildDoubtful(connection)
  const records = await readStream(kinesis, connection.names.eventsStream)
  const letters = await lettersOf(connection)
  const byUser = new Map<string, DecodedEvent[]>()
  let late = 0
  for (const record of records) {
    const letter = letters.get(record.key)
    const expected = traffic.expectationOf(record)
    ok(expected !== undefined, `${record.key} was sent by nobody`)
    if (expected !== 'good') {
      strictEqual(letter?.reason, expected, `dead letter of ${record.key}`)
    } else if (letter === undefined) {
      const event = readFlight(record.data)
      byUser.set(event.userId, [...(byUser.get(event.userId) ?? []), event])
    } else {
      strictEqual(letter.reason, 'late', `dead letter of ${record.key}, whose event is good`)
      late++
    }
  }
  const known = new Set(records.map(({ key }) => key))
  for (const key of letters.keys()) ok(known.has(key), `a dead letter names ${key}, which is not in the stream`)
  checkLateness(records, letters, byUser)
  const folded = await checkItems(connection, byUser)
  const good = [...byUser.values()].reduce((sum, events) => sum + events.length, 0)
  const distinct = [...byUser.values()].reduce((sum, events) => sum + distinctIds(events), 0)
  strictEqual(folded, distinct, 'what the items count is what was folded')
  strictEqual(folded + (good - distinct) + letters.size, records.length, 'folded + duplicates + dead letters = input')
  return {
    input: records.length,
    folded,
    duplicates: good - distinct,
    deadLetters: letters.size,
    late,
    doubted,
    users: byUser.size,
  }
}

async function rebuildDoubtful(connection: Connection): Promise<number> {
  const before = await countDoubt(connection)
  if (before === 0) return 0
  const compiled = compilePipeline(flights)
  const predictor = createPredictor(compiled, { ...connection, refreshMs: HOUR_MS, onError: rethrow })
  const counts = await withHistoryViews(connection, flights.name, async ({ openHistory, spoolDir }) => {
    const history = await openHistory()
    try {
      const request = { target: { kind: 'doubt' }, waitMs: BACKFILL_WAIT_MS, by: 'oracle' } as const
      return await backfill(request, { ...connection, compiled, predictor, history, spoolDir })
    } finally {
      await history.close()
    }
  })
  strictEqual(await countDoubt(connection), 0, `doubt is left after the rebuild: ${JSON.stringify(counts)}`)
  return before
}

async function countDoubt({ archive }: Connection): Promise<number> {
  const entries = []
  for await (const entry of listDoubt(archive)) entries.push(entry)
  return entries.length
}

async function lettersOf({ archive }: Connection): Promise<ReadonlyMap<string, DeadLetter>> {
  const letters = new Map<string, DeadLetter>()
  for await (const letter of listDeadLetters(archive, { isAll: true })) {
    const key = `${letter.shard}/${letter.sequence}`
    ok(!letters.has(key), `two dead letters of ${key}`)
    letters.set(key, letter)
  }
  return letters
}

/** Everything that is in the stream, past the event source mappings. */
export async function readStream(client: KinesisClient, streamName: string): Promise<StreamedFlight[]> {
  const all: StreamedFlight[] = []
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: streamName }))
  for (const { ShardId } of Shards) {
    const start = { StreamName: streamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const
    let { ShardIterator: iterator } = await client.send(new GetShardIteratorCommand(start))
    while (iterator !== undefined) {
      const { Records = [], NextShardIterator } = await client.send(
        new GetRecordsCommand({ ShardIterator: iterator, Limit: READ_RECORDS }),
      )
      if (Records.length === 0) break
      iterator = NextShardIterator
      for (const { SequenceNumber, PartitionKey = '', Data = new Uint8Array() } of Records) {
        all.push({ key: `${ShardId}/${SequenceNumber}`, partitionKey: PartitionKey, data: Buffer.from(Data) })
      }
    }
  }
  return all
}

function readFlight(data: Buffer): DecodedEvent {
  const flight = JSON.parse(data.toString('utf8')) as Readonly<Record<string, string | number>>
  const { type, flight: id, route, arrivedAt, ...fields } = flight
  const idHash = createHash('sha256').update(`${type}\0${id}`).digest('hex').slice(0, 16)
  return {
    type: String(type),
    id: String(id),
    idHash,
    userId: String(route),
    ts: Date.parse(String(arrivedAt)),
    fields: new Map(Object.entries(fields)),
    unknownFields: 0,
  }
}

/** A late event must have been older than what the item could still tell: its type's lateness, or a full set of ids. */
function checkLateness(
  records: readonly StreamedFlight[],
  letters: ReadonlyMap<string, DeadLetter>,
  byUser: ReadonlyMap<string, readonly DecodedEvent[]>,
): void {
  for (const { key, data } of records) {
    if (letters.get(key)?.reason !== 'late') continue
    const event = readFlight(data)
    const newer = (byUser.get(event.userId) ?? []).filter(({ ts }) => ts >= event.ts)
    const isOld = newer.some(({ ts }) => ts - event.ts > LATENESS_MS)
    ok(isOld || distinctIds(newer) >= RECENT_IDS, `${key} is called late and is not`)
  }
}

function distinctIds(events: readonly DecodedEvent[]): number {
  return new Set(events.map(({ idHash }) => idHash)).size
}

/** Every item, and no other, as the obvious implementation has it. How many events the items count. */
async function checkItems(
  connection: Connection,
  byUser: ReadonlyMap<string, readonly DecodedEvent[]>,
): Promise<number> {
  const items = await allItems(connection)
  deepStrictEqual([...items.keys()].sort(), [...byUser.keys()].sort(), 'users with an item')
  let folded = 0
  for (const [userId, item] of items) {
    const events = byUser.get(userId) ?? []
    const read = readBody(item, 'ft')
    ok(!('reason' in read), `the features of ${userId} can be read`)
    const { values } = read.body as unknown as FeaturesBody
    strictEqual(item.at, Math.max(...events.map(({ ts }) => ts)), `the newest event of ${userId}`)
    for (const [name, { value, allowance }] of Object.entries(obviousAnswers(flights.features, events, item.at))) {
      const feature = flights.features.features[name as keyof typeof flights.features.features]
      const text = `${name} of ${userId} is ${JSON.stringify(values[name])}, not ${JSON.stringify(value)}`
      ok(!valueDiffers(feature, values[name], value, allowance), text)
    }
    folded += Number(values['arrivals30d'])
  }
  return folded
}

export async function allItems({ users }: Connection): Promise<ReadonlyMap<string, StoredItem>> {
  const items = new Map<string, StoredItem>()
  for await (const page of users.scan(0, 1)) {
    for (const item of page) {
      ok(!isCorrupt(item), 'no item is corrupt')
      items.set(item.userId, item)
    }
  }
  return items
}

function rethrow(error: unknown): never {
  throw error
}
