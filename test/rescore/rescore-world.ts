// A shop whose model has versions: the pointer's log, functions that believe a pointer until they look again, and runs that give every
// user predictions of the version in production.
import type { StreamRecord } from '../../src/event/stream-record.ts'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import { seededRandom } from '../../src/platform/random.ts'
import type { PinnedPredictor, PredictedUser, Predictor } from '../../src/predictions/predictor.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { rescore, type RescoreRequest, type RescoreResult } from '../../src/rescore/rescore.ts'
import { featuresAt } from '../../src/serve/evaluate-user.ts'
import { decodeItem, isUnreadable, readBody } from '../../src/store/item-codec.ts'
import { isCorrupt, type StoredItem, type UserStore } from '../../src/store/user-item.ts'
import { memoryObjectStore, type MemoryObjectStore } from '../fakes/memory-object-store.ts'
import { type MemoryUserStore, memoryUserStore } from '../fakes/memory-user-store.ts'
import { START } from '../features/factories.ts'
import { orderRecord, smallShop } from '../recompute/harness.ts'

export const MODEL = 'churn'
export const [OLD, NEW, OTHER] = [
  '20240301000000-aaaaaaaa',
  '20240302000000-bbbbbbbb',
  '20240303000000-cccccccc',
] as const

export interface RescoreWorld {
  readonly users: MemoryUserStore
  readonly objects: MemoryObjectStore
  /** Oldest first: what was in production, and since entry 1. */
  readonly log: string[]
  nowMs: number
  readonly sleeps: number[]
  /** What functions believe is in production. */
  believed: string
  promote(batchId: string): void
  /** The recompute function; `users`: the table as it reaches it. */
  deliver(records: readonly StreamRecord[], users?: UserStore): Promise<void>
  rescore(request?: Partial<RescoreRequest>, users?: UserStore): Promise<RescoreResult>
}

export function rescoreWorld(): RescoreWorld {
  const users = memoryUserStore({ scanPageItemsMax: 3 })
  const objects = memoryObjectStore()
  const random = seededRandom(3)
  const world: RescoreWorld = {
    users,
    objects,
    log: [OLD],
    nowMs: START + 3_600_000,
    sleeps: [],
    believed: OLD,
    promote: batchId => void world.log.push(batchId),
    async deliver(records, table = users) {
      const { errors } = await recomputeBatch(records, {
        compiled: smallShop,
        users: table,
        predictor: functionPredictor(() => world.believed),
        aside: { writeDeadLetters: setAside, writeDoubt: setAside },
        random,
        sleep: async () => undefined,
        remainingMs: () => 60_000,
      })
      if (errors.length > 0) throw errors[0]
    },
    rescore(request = {}, table = users) {
      const entry = world.log.length
      const batchId = world.log.at(-1) ?? ''
      return rescore(
        { sweep: { model: MODEL, batchId, when: 'after', entry }, segments: 2, ...request },
        {
          compiled: smallShop,
          users: table,
          predictor: pinnedTo(request.sweep?.batchId ?? batchId),
          objects,
          isCurrent: async () => world.log.length === entry,
          clock: () => world.nowMs,
          sleep: async ms => {
            world.sleeps.push(ms)
            world.nowMs += ms
          },
          random,
        },
      )
    },
  }
  return world
}

async function setAside(): Promise<never> {
  throw new Error('a record was set aside')
}

/** An answer that only this version gives to these features. */
export function predictedBy(batchId: string, { asOf, freshUntil, values }: FeaturesBody): PredictedUser {
  const value = { score: Number(values['ordersEver']) * 100 + [OLD, NEW, OTHER].indexOf(batchId as typeof OLD) }
  return {
    predictions: {
      asOf,
      ...(freshUntil === undefined ? {} : { freshUntil }),
      models: { [MODEL]: { status: 'ok', batchId, value } },
    },
    models: { [MODEL]: batchId },
  }
}

export function pinnedTo(batchId: string): PinnedPredictor {
  return { predict: async bodies => bodies.map(body => predictedBy(batchId, body)) }
}

export function functionPredictor(believed: () => string): Predictor {
  return {
    predict: bodies => pinnedTo(believed()).predict(bodies),
    pinned: async () => pinnedTo(believed()),
    production: async () => ({ [MODEL]: believed() }),
  }
}

/** `countEach` orders of each of so many users, in turns. */
export function orders(users: number, countEach: number, from = 0): StreamRecord[] {
  return Array.from({ length: users * countEach }, (_, index) =>
    orderRecord(`o${from + index}`, from + index + 1, { user: `user-${index % users}` }),
  )
}

export function itemsOf(users: MemoryUserStore): readonly StoredItem[] {
  return users.items().map(item => {
    if (isCorrupt(item)) throw new Error(item.corrupt)
    return item
  })
}

/** What a rescoring may never change, by user. */
export function keptOf(users: MemoryUserStore): Map<string, object> {
  return new Map(itemsOf(users).map(({ userId, at, dedup, st, imports }) => [userId, { at, dedup, st, imports }]))
}

/** What is stored, and what evaluating the item's own state by this version gives for the same instant. */
export function storedAndEvaluated(item: StoredItem, batchId: string): readonly [object, object] {
  const bodies = [readBody(item, 'ft'), readBody(item, 'pr')]
  const [ft, pr] = bodies.map(body => {
    if (isUnreadable(body)) throw new Error(body.reason)
    return body.body
  })
  const features = featuresAt(smallShop, item, item.asOf)
  const { predictions, models } = predictedBy(batchId, features)
  const head = { asOf: features.asOf, fresh: features.freshUntil, models }
  return [
    { ft, pr, head: { asOf: item.asOf, fresh: item.fresh, models: item.models } },
    { ft: features, pr: predictions, head },
  ]
}

export function stateOf(item: StoredItem): unknown {
  const decoded = decodeItem(item)
  if (isUnreadable(decoded)) throw new Error(decoded.reason)
  return decoded.state
}
