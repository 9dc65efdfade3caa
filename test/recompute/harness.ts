// A batch run on in-memory ports: real decoding, fold, codec and decision; a store that counts and fails where it is told to.
import type { AffectedRecord, RefusedRecord } from '../../src/affected/affected-users.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { count, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import type { Predictor } from '../../src/predictions/predictor.ts'
import { type BatchResult, type RecomputeDependencies, recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { readBody } from '../../src/store/item-codec.ts'
import { isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import { customer, order, START, visit } from '../features/factories.ts'
import { type MemoryUserStore, memoryUserStore } from '../fakes/memory-user-store.ts'

export const shop = pipeline({ name: 'shop', events: [order, visit], features: customer, models: [] })

/** Two features and one event type: for tests that fold thousands of times and look at nothing else. */
export const smallShop = compilePipeline(
  pipeline({
    name: 'shop',
    events: [order],
    features: features({ ordersEver: count(order), spend90d: sum(order, 'amount', { within: '90d' }) }),
    models: [],
  }),
)

export interface Harness {
  readonly users: MemoryUserStore
  readonly deadLetters: RefusedRecord[]
  readonly doubt: AffectedRecord[]
  readonly modelRuns: number[]
  dependencies: RecomputeDependencies
  deliver(records: readonly StreamRecord[]): Promise<BatchResult>
}

export function harness(overrides: Partial<RecomputeDependencies> = {}): Harness {
  const users = memoryUserStore()
  const deadLetters: RefusedRecord[] = []
  const doubt: AffectedRecord[] = []
  const modelRuns: number[] = []
  const dependencies: RecomputeDependencies = {
    compiled: compilePipeline(shop),
    users,
    predictor: countingPredictor(modelRuns),
    aside: {
      writeDeadLetters: async letters => void deadLetters.push(...letters),
      writeDoubt: async records => void doubt.push(...records),
    },
    random: seededRandom(1),
    sleep: async () => undefined,
    remainingMs: () => 60_000,
    ...overrides,
  }
  const result: Harness = {
    users,
    deadLetters,
    doubt,
    modelRuns,
    dependencies,
    deliver: records => recomputeBatch(records, result.dependencies),
  }
  return result
}

/** A model whose answer is the number of orders in 30 days, so that a test can tell whose features went in. */
export function countingPredictor(runs: number[]): Predictor {
  const predictor: Predictor = {
    pinned: async () => predictor,
    predict: async bodies => {
      runs.push(bodies.length)
      return bodies.map(({ asOf, values }) => ({
        predictions: {
          asOf,
          models: { churn: { status: 'ok', batchId: 'b1', value: { orders: Number(values['orders30d'] ?? 0) } } },
        },
        models: { churn: 'b1' },
      }))
    },
    production: async () => ({ churn: 'b1' }),
  }
  return predictor
}

export interface OrderJson {
  readonly user?: string
  readonly ts?: number
  readonly amount?: number
}

export function orderRecord(
  id: number | string,
  sequence: number,
  { user = 'ana', ts, amount = 10 }: OrderJson = {},
): StreamRecord {
  const placedAt = ts ?? START + sequence * 1000
  return rawRecord(
    {
      type: 'order.placed',
      orderId: `${id}`,
      customer: { id: user },
      placedAt: new Date(placedAt).toISOString(),
      amount,
      channel: 'web',
      gift: false,
    },
    sequence,
    user,
    placedAt + 1000,
  )
}

export function rawRecord(
  payload: unknown,
  sequence: number,
  partitionKey = 'ana',
  arrivalMs = START + sequence * 1000,
): StreamRecord {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return {
    stream: 'events@1',
    shard: 'shardId-000000000000',
    sequence: `${sequence}`,
    arrivalMs,
    partitionKey,
    dataBase64: Buffer.from(text).toString('base64'),
  }
}

export const EVENTS_PER_USER = 5

export function ordersOf(users: number, eventsPerUser = EVENTS_PER_USER): StreamRecord[] {
  return Array.from({ length: users * eventsPerUser }, (_, index) =>
    orderRecord(index, index + 1, { user: `user-${index % users}` }),
  )
}

export async function stored(run: Harness, userId: string): Promise<StoredItem> {
  const item = await run.users.load(userId)
  if (item === undefined || isCorrupt(item)) throw new Error(`no item for ${userId}`)
  return item
}

export async function values(run: Harness, userId: string): Promise<Record<string, unknown>> {
  const body = readBody(await stored(run, userId), 'ft')
  if ('reason' in body) throw new Error(body.reason)
  return body.body['values'] as Record<string, unknown>
}
