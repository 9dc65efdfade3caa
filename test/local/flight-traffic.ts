// Seeded traffic of the demo's pipeline, harsh on purpose: events out of order, too late, repeated into another shard, and records that
// no contract takes. What each record must become is known when it is made.
import { gzipSync } from 'node:zlib'
import type { RefusalReason } from '../../src/event/decoded-event.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/platform/duration.ts'
import { type Random, seededRandom } from '../../src/platform/random.ts'

export interface TrafficRecord {
  readonly partitionKey: string
  readonly data: Buffer
  /** Sends it to the shard of this hash and not of its key, as a producer may. */
  readonly explicitHashKey?: string
}

/** `good`: folded, a duplicate, or late. */
export type Expectation = 'good' | RefusalReason

export interface FlightTraffic {
  /** The next records, as upstream would send them at this instant. */
  next(count: number, nowMs: number): readonly TrafficRecord[]
  /** Undefined for a record that this traffic has not made. */
  expectationOf(record: Pick<TrafficRecord, 'partitionKey' | 'data'>): Expectation | undefined
}

interface Flight {
  readonly type: string
  readonly flight: number
  readonly route: string
  readonly arrivedAt: string
  readonly delayMinutes: number
  readonly distanceMiles: number
  readonly departureHour: number
  readonly departureWeekday: number
  readonly origin: string
  readonly destination: string
}

const ROUTES_DEFAULT = 40
const DUPLICATE_SHARE = 0.12
const OLD_SHARE = 0.08
const BAD_SHARE = 0.12
/** Kinesis's hash keys: 128 bits, in decimal. */
const HASH_KEY_BITS = 128n

export function flightTraffic(seed: number, routes = ROUTES_DEFAULT): FlightTraffic {
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const expected = new Map<string, Expectation>()
  const sent: TrafficRecord[] = []
  let flights = 0

  function newFlight(nowMs: number): Flight {
    const route = `R${below(routes)}`
    const lateMs = random() < OLD_SHARE ? below(3 * DAY_MS) : below(30 * MINUTE_MS)
    return {
      type: 'flight.arrived',
      flight: ++flights,
      route,
      arrivedAt: new Date(nowMs - lateMs).toISOString(),
      delayMinutes: below(120) - 20,
      distanceMiles: 100 + below(2000),
      departureHour: below(24),
      departureWeekday: below(7),
      origin: route,
      destination: 'HUB',
    }
  }

  function remember(record: TrafficRecord, expectation: Expectation): TrafficRecord {
    expected.set(keyOf(record), expectation)
    if (expectation === 'good') sent.push(record)
    return record
  }

  function one(nowMs: number): TrafficRecord {
    const kind = random()
    const before = sent[below(sent.length)]
    if (kind < DUPLICATE_SHARE && before !== undefined) {
      return random() < 0.5 ? before : { ...before, explicitHashKey: hashKey(random) }
    }
    const flight = newFlight(nowMs)
    if (kind < 1 - BAD_SHARE) return remember(recordOf(flight), 'good')
    const { reason, record } = spoil(flight, nowMs, below(SPOILERS.length))
    return remember(record, reason)
  }

  return {
    next: (count, nowMs) => Array.from({ length: count }, () => one(nowMs)),
    expectationOf: record => expected.get(keyOf(record)),
  }
}

function keyOf({ partitionKey, data }: Pick<TrafficRecord, 'partitionKey' | 'data'>): string {
  return `${partitionKey}\n${data.toString('base64')}`
}

function recordOf(flight: Flight): TrafficRecord {
  return { partitionKey: flight.route, data: Buffer.from(JSON.stringify(flight)) }
}

function hashKey(random: Random): string {
  return String((BigInt(Math.floor(random() * 2 ** 32)) << (HASH_KEY_BITS - 32n)) + 1n)
}

type Spoiler = (flight: Flight, nowMs: number) => TrafficRecord

/** One way for each reason that a record of this pipeline can have by itself. */
const SPOILERS: readonly (readonly [RefusalReason, Spoiler])[] = [
  ['not-json', flight => cut(recordOf(flight), -7)],
  ['unknown-type', flight => recordOf({ ...flight, type: 'flight.departed' })],
  ['contract', flight => recordOf({ ...flight, delayMinutes: Number.NaN })],
  ['user-id-invalid', flight => recordOf({ ...flight, route: `${flight.route}/${flight.flight}` })],
  ['time-invalid', flight => recordOf({ ...flight, arrivedAt: '2026-02-30T00:00:00Z' })],
  ['mis-keyed', flight => ({ ...recordOf(flight), partitionKey: `${flight.route}x` })],
  ['future', (flight, nowMs) => recordOf({ ...flight, arrivedAt: new Date(nowMs + HOUR_MS).toISOString() })],
  ['kpl-aggregated', flight => prefixed(flight, [0xf3, 0x89, 0x9a, 0xc2])],
  ['not-utf8', flight => prefixed(flight, [0xff])],
  ['too-deep', flight => ({ ...recordOf(flight), data: Buffer.from(`${'['.repeat(100)}${flight.flight}`) })],
  ['duplicate-key', flight => replaced(flight, '{', '{"flight":0,')],
  ['forbidden-key', flight => replaced(flight, '{', '{"__proto__":{},')],
  ['not-inflatable', flight => cut({ ...recordOf(flight), data: gzipSync(recordOf(flight).data) }, -9)],
]

function spoil(
  flight: Flight,
  nowMs: number,
  way: number,
): { readonly reason: RefusalReason; readonly record: TrafficRecord } {
  const [reason, spoiler] = SPOILERS[way] ?? ['not-json', () => cut(recordOf(flight), -7)]
  return { reason, record: spoiler(flight, nowMs) }
}

function cut(record: TrafficRecord, end: number): TrafficRecord {
  return { ...record, data: record.data.subarray(0, end) }
}

function prefixed(flight: Flight, bytes: readonly number[]): TrafficRecord {
  const record = recordOf(flight)
  return { ...record, data: Buffer.concat([Buffer.from(bytes), record.data]) }
}

function replaced(flight: Flight, what: string, by: string): TrafficRecord {
  const record = recordOf(flight)
  return { ...record, data: Buffer.from(record.data.toString().replace(what, by)) }
}
