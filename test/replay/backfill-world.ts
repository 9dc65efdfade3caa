// A pipeline in memory with everything that a backfill meets: live batches, an archive that lags, imports, dead letters, doubt; the
// real history, fold and codec over stores that count and fail where they are told to.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { writeDoubt } from '../../src/archive/doubt.ts'
import type { History } from '../../src/archive/history.ts'
import { openHistory } from '../../src/archive/open-history.ts'
import { catalog, type Catalog } from '../../src/catalog/catalog.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { count, last, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import type { UserState } from '../../src/features/state.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { type CompiledPipeline, compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import type { Predictor } from '../../src/predictions/predictor.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { type BatchResult, recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { backfill, type BackfillRequest } from '../../src/replay/backfill.ts'
import type { BackfillCounts } from '../../src/replay/backfill-settle.ts'
import { importHistory } from '../../src/replay/import-history.ts'
import { withdrawImport } from '../../src/replay/withdraw-import.ts'
import type { SpillStore } from '../../src/store/spill-store.ts'
import { decodeItem, isUnreadable, readBody } from '../../src/store/item-codec.ts'
import { isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore, type MemoryObjectStore, type ObjectStoreCall } from '../fakes/memory-object-store.ts'
import { type MemoryUserStore, memoryUserStore } from '../fakes/memory-user-store.ts'
import { customer, order, START, visit } from '../features/factories.ts'
import { countingPredictor, orderRecord, shop } from '../recompute/harness.ts'

const DAY_MS = 86_400_000

/** What the shop ran at first. */
export const before = compilePipeline(shop)

/** The same with more features: over a new state, over a known state but further back, over the whole life. */
export const after = compilePipeline(
  pipeline({
    name: 'shop',
    events: [order, visit],
    features: features({
      ...customer.features,
      web90d: count(order, { within: '90d', where: { channel: 'web' } }),
      points90d: sum(order, 'points', { within: '90d' }),
      giftsEver: count(order, { where: { gift: true } }),
      lastWeb: last(order, 'amount', { where: { channel: 'web' } }),
    }),
    models: [],
  }),
)

export interface BackfillWorld {
  readonly users: MemoryUserStore
  readonly archive: MemoryObjectStore
  readonly catalog: Catalog
  readonly modelRuns: number[]
  readonly spoolDir: string
  /** Waits that a run made, ms. */
  readonly sleeps: number[]
  nowMs: number
  /** Of every writer. */
  predictor: Predictor
  spills: SpillStore | undefined
  /** What the stream runs with. */
  live: CompiledPipeline
  /** Called in each sleep of a run. */
  onSleep: ((ms: number) => Promise<void>) | undefined
  /** Throws to make a call of the archive fail. */
  fault: ((call: ObjectStoreCall) => void) | undefined
  /** The recompute function. */
  deliver(records: readonly StreamRecord[]): Promise<BatchResult>
  /** The archive function. */
  store(records: readonly StreamRecord[]): Promise<void>
  /** Both. */
  send(records: readonly StreamRecord[]): Promise<void>
  imports(name: string, records: readonly StreamRecord[]): Promise<string>
  withdraw(name: string): Promise<void>
  /** History as it stands now. */
  open(): Promise<History>
  backfill(request?: Partial<BackfillRequest>): Promise<BackfillCounts>
  remove(): void
}

export function backfillWorld(): BackfillWorld {
  const spoolDir = mkdtempSync(join(tmpdir(), 'backfill-'))
  const users = memoryUserStore({ sleep: turns })
  const archive = memoryObjectStore({ fault: call => world.fault?.(call) })
  const ports = { clock: () => world.nowMs, random: seededRandom(7) }
  const objects = memoryObjectStore()
  const modelRuns: number[] = []
  const world: BackfillWorld = {
    users,
    archive,
    catalog: catalog({ store: memoryCatalogStore(), objects, ...ports, sleep: async () => undefined }),
    modelRuns,
    spoolDir,
    sleeps: [],
    nowMs: START + 100 * DAY_MS,
    live: before,
    predictor: countingPredictor(modelRuns),
    spills: undefined,
    onSleep: undefined,
    fault: undefined,
    deliver: records =>
      recomputeBatch(records, {
        compiled: world.live,
        users,
        predictor: world.predictor,
        spills: world.spills,
        aside: {
          writeDeadLetters: letters => writeDeadLetters(archive, letters),
          writeDoubt: doubtful => writeDoubt(archive, doubtful),
        },
        ...ports,
        sleep: async () => undefined,
        remainingMs: () => 60_000,
      }),
    async store(records) {
      const { errors } = await archiveBatch(records, archive)
      if (errors.length > 0) throw errors[0]
    },
    async send(records) {
      await world.deliver(records)
      await world.store(records)
    },
    async imports(name, records) {
      // Each import is of a second of its own.
      world.nowMs += 1000
      const payloads = records.map(({ dataBase64 }) => Buffer.from(dataBase64, 'base64'))
      const compiled = world.live
      const { predictor, spills } = world
      const writing = { compiled, users, predictor, spills, catalog: world.catalog }
      const given = { ...writing, ...ports, spoolDir, who: 'ana', why: 'test' }
      const { batch } = await importHistory(payloads, { ...given, name })
      return batch?.batchId ?? ''
    },
    async withdraw(name) {
      world.nowMs += 1000
      await withdrawImport(world.catalog, { db: 'shop', name, who: 'ana', why: 'test' })
    },
    open: () => openHistory({ catalog: world.catalog, archive, db: 'shop', spoolDir }),
    async backfill(request = {}) {
      const runDir = mkdtempSync(join(spoolDir, 'run-'))
      const history = await openHistory({ catalog: world.catalog, archive, db: 'shop', spoolDir: runDir })
      const sleep = async (ms: number): Promise<void> => {
        world.sleeps.push(ms)
        world.nowMs += ms
        await world.onSleep?.(ms)
      }
      try {
        return await backfill(
          { target: { kind: 'incomplete', feature: undefined }, waitMs: 0, by: 'test', ...request },
          {
            compiled: after,
            users,
            predictor: world.predictor,
            spills: world.spills,
            archive,
            history,
            clock: ports.clock,
            sleep,
            spoolDir: runDir,
          },
        )
      } finally {
        await history.close()
        rmSync(runDir, { recursive: true })
      }
    },
    remove: () => rmSync(spoolDir, { recursive: true, force: true }),
  }
  return world
}

/** Lets others go on: so many turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => void setImmediate(resolve))
}

/** Orders over four months, some of them gifts: `count` for each of `users` users, in the order of the stream. */
export function orders(users: number, countEach: number, from = 0): StreamRecord[] {
  return Array.from({ length: users * countEach }, (_, index) =>
    orderRecord(`o${from + index}`, from + index + 1, {
      user: `user-${index % users}`,
      ts: START + (from + index) * Math.floor((90 * DAY_MS) / (users * countEach + from)),
    }),
  )
}

export async function itemOf(users: MemoryUserStore, userId: string): Promise<StoredItem> {
  const item = await users.load(userId)
  if (item === undefined || isCorrupt(item)) throw new Error(`no item for ${userId}`)
  return item
}

export interface ReadUser {
  readonly state: UserState
  readonly values: Record<string, unknown>
  readonly pending: Record<string, string>
  readonly ids: readonly string[]
}

export async function readUser(users: MemoryUserStore, userId: string): Promise<ReadUser> {
  const item = await itemOf(users, userId)
  const decoded = decodeItem(item)
  const features = readBody(item, 'ft')
  if (isUnreadable(decoded) || isUnreadable(features)) throw new Error('unreadable')
  return {
    state: decoded.state as UserState,
    values: features.body['values'] as Record<string, unknown>,
    pending: (features.body['pending'] ?? {}) as Record<string, string>,
    ids: [...decoded.dedup.types.values()].flatMap(({ ids }) => ids.map(({ idHash }) => idHash)),
  }
}

/** As if these records, and no others, had been followed by today's definitions from the first one on. */
export async function followed(records: readonly StreamRecord[]): Promise<MemoryUserStore> {
  const world = backfillWorld()
  world.live = after
  for (let from = 0; from < records.length; from += 20) await world.deliver(records.slice(from, from + 20))
  world.remove()
  return world.users
}
