// Which deflate level pays: bytes cost write units, CPU costs Lambda time, and both have a price. Samples are states and features
// that the engine itself made of seeded events, because invented JSON compresses like invented JSON.
import { deflateSync, inflateSync } from 'node:zlib'
import { event } from '../src/event/contract.ts'
import type { DecodedEvent } from '../src/event/decoded-event.ts'
import { choice, number } from '../src/event/field.ts'
import { count, mean, sum } from '../src/features/aggregates.ts'
import { features } from '../src/features/define.ts'
import type { Feature } from '../src/features/feature.ts'
import { evaluateFeatures } from '../src/features/evaluate.ts'
import { compileFeatures, type FeaturesPlan } from '../src/features/plan.ts'
import { foldState, stateJson, type UserState } from '../src/features/state.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../src/platform/duration.ts'
import { eventIdHash } from '../src/platform/hash.ts'
import { seededRandom } from '../src/platform/random.ts'
import { decodeItem, encodeItem, isUnreadable } from '../src/store/item-codec.ts'
import { itemBytes, WRITE_UNIT_BYTES, writeUnits } from '../src/store/item-size.ts'
import { fastestMicroseconds } from './stopwatch.ts'

/** us-east-1, on demand, November 2026: a standard write unit; x86 Lambda at 1,769 MB, which is one core. */
const DOLLARS_PER_WRITE_UNIT = 0.625e-6
const DOLLARS_PER_CPU_SECOND = 1.769 * 1.666_67e-5
const LEVELS = [1, 3, 4, 5, 6, 7, 8, 9]
const END_MS = Date.UTC(2016, 0, 31, 12)

export interface LevelFigures {
  readonly level: number
  readonly bytes: number
  readonly microseconds: number
  /** Of writing and deflating the blob a million times; bytes as the share of write units that they fill on average. */
  readonly dollarsPerMillion: number
}

export interface SampleFigures {
  readonly name: string
  readonly plainBytes: number
  readonly inflateMicroseconds: number
  readonly levels: readonly LevelFigures[]
}

export interface ItemFigures {
  readonly itemBytes: number
  readonly writeUnits: number
  readonly blobBytes: {
    readonly state: number
    readonly features: number
    readonly predictions: number
    readonly dedup: number
  }
  readonly encodeMicroseconds: number
  /** The write path: sums, dedup and state. */
  readonly decodeMicroseconds: number
}

export interface CodecBench {
  readonly samples: readonly SampleFigures[]
  readonly item: ItemFigures
}

export function benchCodec(): CodecBench {
  const sizes = [
    [1, 25],
    [2, 35],
    [4, 60],
    [4, 400],
    [12, 60],
    [12, 400],
  ] as const
  const users = sizes.map(([featureGroups, events]) => madeByTheEngine(featureGroups, events))
  const samples = users.flatMap(user => [figuresOf('state', user.state), figuresOf('features', user.features)])
  return { samples, item: itemFigures() }
}

export function codecBenchLines({ samples, item }: CodecBench): string[] {
  const lines = ['plain bytes  level: bytes, µs, $ per million writes']
  for (const sample of samples) {
    const cheapest = Math.min(...sample.levels.map(level => level.dollarsPerMillion))
    const cells = sample.levels.map(({ level, bytes, microseconds, dollarsPerMillion }) => {
      const mark = dollarsPerMillion === cheapest ? '*' : ''
      return `${level}: ${bytes}, ${microseconds.toFixed(0)}, ${dollarsPerMillion.toFixed(3)}${mark}`
    })
    const inflate = `inflate ${sample.inflateMicroseconds.toFixed(0)} µs`
    lines.push(`${sample.name.padEnd(9)}${String(sample.plainBytes).padStart(6)}  ${cells.join(' | ')} | ${inflate}`)
  }
  const { state, features: ft, predictions, dedup } = item.blobBytes
  lines.push(
    `item of ${item.itemBytes} bytes, ${item.writeUnits} write units (st ${state}, ft ${ft}, pr ${predictions}, dedup ${dedup}): ` +
      `encode ${item.encodeMicroseconds.toFixed(0)} µs, decode ${item.decodeMicroseconds.toFixed(0)} µs`,
  )
  return lines
}

function figuresOf(name: string, text: string): SampleFigures {
  const plain = Buffer.from(text)
  const levels = LEVELS.map(level => {
    const bytes = deflateSync(plain, { level }).length
    const microseconds = fastestMicroseconds(() => deflateSync(plain, { level }))
    const dollars = (bytes / WRITE_UNIT_BYTES) * DOLLARS_PER_WRITE_UNIT + microseconds * 1e-6 * DOLLARS_PER_CPU_SECOND
    return { level, bytes, microseconds, dollarsPerMillion: dollars * 1e6 }
  })
  const blob = deflateSync(plain)
  return { name, plainBytes: plain.length, inflateMicroseconds: fastestMicroseconds(() => inflateSync(blob)), levels }
}

/** About 1.5 KB of state, 1 KB of features, 0.2 KB of predictions and 20 ids. */
function itemFigures(): ItemFigures {
  const user = madeByTheEngine(2, 35)
  const ids = user.events.slice(-20).map(({ ts, idHash }) => ({ ts, idHash }))
  const mark = { sequence: '49590338271490256608559692538361571095921575989136588898', arrivalMs: END_MS }
  const parts = {
    userId: 'customer-000042',
    v: 41,
    at: END_MS,
    asOf: END_MS,
    fresh: END_MS + HOUR_MS,
    definitions: '3f9c2a71d0b4',
    models: { churn: '20160130000000-abcdefgh' },
    imports: ['20160101000000-aaaaaaaa'],
    dedup: {
      types: new Map([['order.placed', { ids, floor: undefined }]]),
      marks: new Map([['events@1/shardId-000000000006', mark]]),
      settledMs: undefined,
    },
    state: user.state,
    features: madeByTheEngine(12, 35).features,
    predictions: JSON.stringify({
      asOf: END_MS,
      freshUntil: END_MS + HOUR_MS,
      models: { churn: { status: 'ok', batchId: '20160130000000-abcdefgh', value: { probability: 0.206_34 } } },
    }),
  }
  const stored = encodeItem(parts)
  const decode = (): void => {
    if (isUnreadable(decodeItem(stored))) throw new Error('the item that was just encoded is not readable')
  }
  const bytes = itemBytes(stored)
  return {
    itemBytes: bytes,
    writeUnits: writeUnits(bytes),
    blobBytes: {
      state: stored.st.length,
      features: stored.ft.length,
      predictions: stored.pr.length,
      dedup: stored.dedup.length,
    },
    encodeMicroseconds: fastestMicroseconds(() => encodeItem(parts)),
    decodeMicroseconds: fastestMicroseconds(decode),
  }
}

interface MadeUser {
  readonly state: string
  readonly features: string
  readonly events: readonly DecodedEvent[]
}

/** A user of a shop after so many orders in 90 days, with three features in each group. */
function madeByTheEngine(featureGroups: number, orders: number): MadeUser {
  const plan = shopPlan(featureGroups)
  const events = shopOrders(orders)
  let state: UserState | undefined
  let at: number | undefined
  for (const order of events) {
    const folded = foldState({ plan, state, previousAt: at, previousVersion: 1, events: [order] })
    state = folded.state
    at = folded.at
  }
  const body = evaluateFeatures(plan, state ?? {}, at ?? 0, END_MS)
  return { state: stateJson(state ?? {}), features: JSON.stringify(body), events }
}

function shopPlan(featureGroups: number): FeaturesPlan {
  const order = event('order.placed', {
    id: 'orderId',
    user: 'customer.id',
    time: 'placedAt',
    lateness: '6h',
    fields: { amount: number({ scale: 2 }), channel: choice('web', 'app') },
  })
  const definitions: Record<string, Feature> = {}
  for (let group = 0; group < featureGroups; group++) {
    const where = { amount: { above: group * 10 } }
    definitions[`orders30dOver${group}`] = count(order, { within: '30d', where })
    definitions[`spend7dOver${group}`] = sum(order, 'amount', { within: '7d', where })
    definitions[`meanSpend90dOver${group}`] = mean(order, 'amount', { within: '90d', where })
  }
  return compileFeatures(features(definitions))
}

function shopOrders(orders: number): DecodedEvent[] {
  const random = seededRandom(11)
  const times = Array.from(
    { length: orders },
    () => END_MS - Math.floor((random() * 90 * DAY_MS) / MINUTE_MS) * MINUTE_MS,
  )
  return times
    .sort((a, b) => a - b)
    .map((ts, index) => ({
      type: 'order.placed',
      id: String(index),
      idHash: eventIdHash('order.placed', String(index)),
      userId: 'customer-000042',
      ts,
      fields: new Map<string, string | number>([
        ['amount', 500 + Math.floor(random() * random() * 60_000)],
        ['channel', random() < 0.5 ? 'web' : 'app'],
      ]),
      unknownFields: 0,
    }))
}
