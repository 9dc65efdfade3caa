// Two definitions take turns on one user, as during a deploy that rolls, is rolled back and is tried again: whatever is served is what
// the obvious implementation says of the same events, or null and named. One backfill later nothing is null.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { openHistory } from '../../src/archive/open-history.ts'
import { catalog } from '../../src/catalog/catalog.ts'
import { decodeRecord, isRefusal } from '../../src/event/decode.ts'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { count, first, last, max, mean, ratio, stddev, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { divide } from '../../src/features/derived.ts'
import type { Feature } from '../../src/features/feature.ts'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import { distinct, lastK, percentile, topK } from '../../src/features/parametric-aggregates.ts'
import type { UserState } from '../../src/features/state.ts'
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts'
import { type Random, seededRandom } from '../../src/platform/random.ts'
import { type CompiledPipeline, compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { backfill } from '../../src/replay/backfill.ts'
import { obviousAnswers, valueDiffers } from '../../src/replay/obvious-features.ts'
import { featuresAt } from '../../src/serve/evaluate-user.ts'
import { decodeItem, isUnreadable, readBody } from '../../src/store/item-codec.ts'
import { isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { memoryUserStore } from '../fakes/memory-user-store.ts'
import { order, START } from '../features/factories.ts'
import { countingPredictor, rawRecord } from '../recompute/harness.ts'

const USER = 'ana'
const EVENTS = 1000
const GRACE_MS = 14 * DAY_MS
/** More of them in the long mode of property tests. */
const SEEDS =
  process.env['MILLRACE_PROPERTY_RUNS'] === undefined ? [1, 2] : Array.from({ length: 30 }, (_, seed) => seed)

const compiled = (set: Readonly<Record<string, Feature>>): CompiledPipeline =>
  compilePipeline(pipeline({ name: 'shop', events: [order], features: features(set), models: [] }))

const shared = {
  orders2h: count(order, { within: '2h' }),
  orders30d: count(order, { within: '30d' }),
  spend7d: sum(order, 'amount', { within: '7d' }),
  lastChannel: last(order, 'channel'),
}
const OLD = compiled({
  ...shared,
  // Dropped, changed, and read by both over other windows.
  gifts: count(order, { within: '20d', where: { gift: true } }),
  points: mean(order, 'points', { within: '5d' }),
  dearest: max(order, 'amount', { within: '30d' }),
  spread: stddev(order, 'amount', { within: '1d' }),
  recent: lastK(order, 'amount', { k: 3 }),
})
const NEW = compiled({
  ...shared,
  points: mean(order, 'points', { within: '12d' }),
  dearest: max(order, 'amount', { within: '6h' }),
  dearest90d: max(order, 'amount', { within: '90d' }),
  ordersEver: count(order),
  perOrder: divide('spend7d', 'orders30d'),
  giftShare: ratio(count(order, { within: '3d', where: { gift: true } }), count(order, { within: '3d' })),
  web60d: count(order, { within: '60d', where: { channel: 'web' } }),
  firstAmount: first(order, 'amount', { within: '10d' }),
  kinds: distinct(order, 'points', { within: '8d' }),
  middle: percentile(order, 'amount', { q: 0.5, within: '2d' }),
  most: topK(order, 'points', { k: 2, within: '4d' }),
  recent: lastK(order, 'amount', { k: 5 }),
})

let spoolDir: string
beforeEach(() => {
  spoolDir = mkdtempSync(join(tmpdir(), 'evolution-'))
})
afterEach(() => rmSync(spoolDir, { recursive: true, force: true }))

/** The stream, the archive and one user's item, in memory. */
class World {
  readonly random: Random
  readonly events: DecodedEvent[] = []
  readonly counts = { values: 0, nulls: 0, carried: 0, letGo: 0 }
  readonly #users = memoryUserStore()
  readonly #archive = memoryObjectStore()
  #sequence = 0
  #repeats = 0
  readonly #payloads = new Map<string, object>()
  #at = START

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  async deliver(code: CompiledPipeline): Promise<void> {
    const before = await this.#state()
    const records = Array.from({ length: 1 + Math.floor(this.random() * 5) }, () => this.#record())
    const result = await recomputeBatch(records, {
      compiled: code,
      users: this.#users,
      predictor: countingPredictor([]),
      aside: { writeDeadLetters: async () => undefined, writeDoubt: async () => undefined },
      random: this.random,
      sleep: async () => undefined,
      remainingMs: () => 60_000,
    })
    expect(result.errors).toEqual([])
    // What is delivered again may be below the floor of recent ids; it was folded, and counts once.
    const { late = 0, ...others } = result.counts.deadLetters
    expect(others).toEqual({})
    expect(late).toBeLessThanOrEqual(this.#repeats)
    await archiveBatch(records, this.#archive)
    for (const record of records) {
      const event = decodeRecord(record, code.contracts)
      if (isRefusal(event)) throw new Error(event.detail)
      this.events.push(event)
    }
    this.#checkCarried(code, before, await this.#state())
    await this.checkStored(result.counts.usersWritten > 0, code)
  }

  /** What its writer would serve without looking at the state. A batch of repeats writes nothing. */
  async checkStored(writes: boolean, writer: CompiledPipeline): Promise<void> {
    const item = await this.item()
    if (writes) expect(item.definitions).toBe(writer.definitions)
    const code = item.definitions === OLD.definitions ? OLD : NEW
    const stored = readBody(item, 'ft')
    if (isUnreadable(stored)) throw new Error(stored.reason)
    this.#check(code, stored.body as unknown as FeaturesBody, item.at)
  }

  async checkServed(code: CompiledPipeline, laterMs: number): Promise<FeaturesBody> {
    const item = await this.item()
    const served = featuresAt(code, item, item.at + laterMs)
    this.#check(code, served, item.at + laterMs)
    return served
  }

  async backfill(code: CompiledPipeline): Promise<void> {
    const ports = { clock: () => this.#at, random: this.random, sleep: async () => undefined }
    const store = catalog({ store: memoryCatalogStore(), objects: memoryObjectStore(), ...ports })
    const history = await openHistory({ catalog: store, archive: this.#archive, db: 'shop', spoolDir })
    const result = await backfill(
      { target: { kind: 'incomplete', feature: undefined }, waitMs: 0, by: 'test' },
      {
        compiled: code,
        users: this.#users,
        predictor: countingPredictor([]),
        archive: this.#archive,
        history,
        clock: ports.clock,
        sleep: ports.sleep,
        spoolDir,
      },
    )
    expect(result).toMatchObject({ written: 1, waiting: 0 })
    await history.close()
  }

  async item(): Promise<StoredItem> {
    const item = await this.#users.load(USER)
    if (item === undefined || isCorrupt(item)) throw new Error('no item')
    return item
  }

  async #state(): Promise<UserState> {
    if ((await this.#users.load(USER)) === undefined) return {}
    const decoded = decodeItem(await this.item())
    if (isUnreadable(decoded)) throw new Error(decoded.reason)
    return decoded.state as UserState
  }

  #check({ pipeline: { features: set } }: CompiledPipeline, { values, pending }: FeaturesBody, t: number): void {
    const obvious = obviousAnswers(set, this.events, t)
    for (const [name, feature] of Object.entries(set.features)) {
      if (pending?.[name] !== undefined) {
        expect([name, values[name], pending[name]]).toEqual([name, null, 'backfilling'])
        this.counts.nulls++
        continue
      }
      const { value, allowance } = obvious[name] ?? { value: null, allowance: undefined }
      if (valueDiffers(feature, values[name], value, allowance)) expect([name, values[name]]).toEqual([name, value])
      this.counts.values++
    }
  }

  /** State that the writer does not know is there for 14 days of events, and no longer. */
  #checkCarried({ features: { states } }: CompiledPipeline, before: UserState, after: UserState): void {
    const at = Math.max(...this.events.map(({ ts }) => ts))
    for (const [key, entry] of Object.entries(before)) {
      if (states.has(key)) continue
      const isDue = entry.left !== undefined && at - entry.left > GRACE_MS
      expect(key in after).toBe(!isDue)
      this.counts[isDue ? 'letGo' : 'carried']++
    }
  }

  /** Mostly some hours after the one before, sometimes late, sometimes delivered again. */
  #record(): StreamRecord {
    const { random } = this
    this.#sequence++
    const isRepeat = this.events.length > 0 && random() < 0.03
    this.#at += Math.floor(random() * (random() < 0.02 ? 3 * DAY_MS : 5 * HOUR_MS))
    const known = this.events.at(-1)
    const late = random() < 0.2 ? Math.floor(random() * 5 * HOUR_MS) : 0
    const payload = {
      type: 'order.placed',
      orderId: `o${this.#sequence}`,
      customer: { id: USER },
      placedAt: new Date(this.#at - late).toISOString(),
      amount: Math.floor(random() * 50_000) / 100,
      channel: random() < 0.6 ? 'web' : 'app',
      gift: random() < 0.3,
      ...(random() < 0.8 ? { points: Math.floor(random() * 6) } : {}),
    }
    if (isRepeat) this.#repeats++
    const repeated = isRepeat && known !== undefined ? this.#payloads.get(known.id) : undefined
    this.#payloads.set(payload.orderId, payload)
    return rawRecord(repeated ?? payload, this.#sequence, USER, this.#at + 1000)
  }
}

describe('old and new code on one user', () => {
  it.each(SEEDS)('serve nothing wrong, and after one backfill nothing is null: seed %i', async seed => {
    const world = new World(seed)
    const { random } = world
    let code = OLD
    while (world.events.length < EVENTS) {
      // Turns of one batch and turns of weeks.
      if (random() < (world.events.length % 400 < 200 ? 0.3 : 0)) code = code === OLD ? NEW : OLD
      await world.deliver(code)
      await world.checkServed(
        random() < 0.5 ? OLD : NEW,
        Math.floor(random() * (random() < 0.5 ? HOUR_MS : 40 * DAY_MS)),
      )
    }
    // Rolled back.
    for (let batch = 0; batch < 20; batch++) {
      await world.deliver(OLD)
      await world.checkServed(OLD, 0)
    }
    const { values, nulls, carried, letGo } = world.counts
    // Neither is the rare case that a test could miss.
    expect(Math.min(values, nulls)).toBeGreaterThan(1000)
    expect(carried).toBeGreaterThan(500)
    expect(letGo).toBeGreaterThan(0)
    for (const last of [OLD, NEW]) {
      await world.backfill(last)
      for (const laterMs of [0, HOUR_MS, 9 * DAY_MS])
        expect((await world.checkServed(last, laterMs)).pending).toBeUndefined()
    }
  })
})
