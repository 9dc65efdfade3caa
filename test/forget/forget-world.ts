// A shop in which one user is everywhere: item, large predictions, raw objects, compacted hours, imports, a month of snapshots, a training
// set, tables of the team in every format, dead letters, doubt, kept items, what Lambda gave up on, a rescore, an anchored batch, and hidden
// versions of what was removed before.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { compactHours } from '../../src/archive/compact-hours.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { writeDoubt } from '../../src/archive/doubt.ts'
import { openHistory } from '../../src/archive/open-history.ts'
import { catalog } from '../../src/catalog/catalog.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { forgetUser, type ForgetRequest } from '../../src/forget/forget-user.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/platform/duration.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { backfill } from '../../src/replay/backfill.ts'
import { importHistory } from '../../src/replay/import-history.ts'
import { verifyUsers } from '../../src/replay/verify.ts'
import { snapshotPartition, takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { spillStore } from '../../src/store/spill-store.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryUserStore } from '../fakes/memory-user-store.ts'
import { versionedObjects } from '../fakes/versioned-objects.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { longPredictor, longValue } from '../recompute/spill-harness.ts'
import { after, before } from '../replay/backfill-world.ts'
import { leaveAside, teamTables } from './left-behind.ts'

export const ERIN = 'erin.7f3a@example.org'
/** What user ids are hashed with here. */
export const HMAC_KEY = 'cd'.repeat(32)
export const RETENTION_MS = 7 * DAY_MS
/** Others whose ids have hers in them, or are in hers. */
const NEIGHBOURS = [`${ERIN}.au`, 'erin', 'example.org']
const SNAPSHOTS = { db: 'shop', table: 'users' }
export const REASON = { who: 'ana', why: 'test' }
const FIRST = START + 10 * DAY_MS

export type ForgetWorld = ReturnType<typeof forgetWorld>

export function forgetWorld() {
  const time = { nowMs: FIRST }
  const faults = { next: (_operation?: string): void => undefined }
  const fault = (operation?: string): void => faults.next(operation)
  const clock = (): number => time.nowMs++
  const spoolDir = mkdtempSync(join(tmpdir(), 'forget-'))
  const users = memoryUserStore()
  const archive = versionedObjects({ clock }, fault)
  const objects = versionedObjects({ clock }, fault)
  const store = memoryCatalogStore(() => fault())
  const base = { clock, random: seededRandom(7), sleep: async () => undefined }
  const own = catalog({ store, objects: objects.store, ...base })
  const spills = spillStore({ objects: archive.store, newKey: () => HMAC_KEY })
  const writing = {
    users,
    catalog: own,
    spills,
    predictor: longPredictor(orders => longValue(orders, orders < 5 ? 3 : 600)),
  }
  const view = { catalog: own, archive: archive.store, db: 'shop' }
  let folders = 0
  /** Keys of objects that went. */
  const receipts: string[] = []
  const folder = (): string => mkdtempSync(join(spoolDir, `${folders++}-`))
  const world = {
    time,
    faults,
    users,
    archive,
    objects,
    store,
    catalog: own,
    receipts,
    folder,
    open: () => openHistory({ ...view, spoolDir: folder() }),
    async deliver(records: readonly StreamRecord[]) {
      const aside = {
        writeDeadLetters: (letters: Parameters<typeof writeDeadLetters>[1]) => writeDeadLetters(archive.store, letters),
        writeDoubt: (doubtful: Parameters<typeof writeDoubt>[1]) => writeDoubt(archive.store, doubtful),
      }
      const { errors } = await recomputeBatch(records, {
        ...base,
        ...writing,
        compiled: before,
        aside,
        remainingMs: () => 60_000,
      })
      if (errors.length > 0) throw errors[0]
    },
    archiveAll: async (records: readonly StreamRecord[]) => void (await archiveBatch(records, archive.store)),
    async send(records: readonly StreamRecord[]) {
      await world.deliver(records)
      await world.archiveAll(records)
    },
    compact: () => compactHours({ ...view, ...base, spoolDir: folder() }, REASON),
    importAll: (name: string, payloads: readonly Uint8Array[]) =>
      importHistory(payloads, { ...base, ...writing, compiled: before, name, spoolDir: folder(), ...REASON }),
    snapshot: (instantMs: number) => takeSnapshot({ ...base, ...writing, compiled: before }, { instantMs, ...REASON }),
    forget: (request: Partial<ForgetRequest> = {}) =>
      forgetUser(
        {
          userId: ERIN,
          contracts: before.contracts,
          pipeline: 'shop',
          retentionMs: RETENTION_MS,
          isDryRun: false,
          who: 'bob',
          why: 'ticket 17',
          ...request,
        },
        {
          ...base,
          users,
          userRemover: {
            remove: async ({ userId }) => {
              fault()
              users.drop(userId)
              return 'removed'
            },
          },
          spills,
          archive: archive.store,
          archiveEnder: archive.ender,
          catalog: own,
          catalogStores: { store, objects: objects.store },
          catalogEnder: objects.ender,
          stillAlone: async () => undefined,
          writeReceipt: async gone => void receipts.push(...gone.map(({ key }) => key)),
        },
      ),
    async backfill() {
      const history = await world.open()
      try {
        return await backfill(
          { target: { kind: 'incomplete', feature: undefined }, waitMs: 0, by: 'test' },
          { ...base, ...writing, archive: archive.store, compiled: after, history, spoolDir: folder() },
        )
      } finally {
        await history.close()
      }
    },
    verify: (compiled = before) =>
      verifyUsers({
        compiled,
        users,
        archive: archive.store,
        openHistory: world.open,
        sleep: async () => undefined,
        which: { kind: 'all' },
        atMs: time.nowMs,
        waitMs: 0,
        spoolDir: folder(),
      }),
    remove: () => rmSync(spoolDir, { recursive: true, force: true }),
  }
  return world
}

export interface FilledWorld extends ForgetWorld {
  /** Batch IDs. */
  readonly anchored: string
  readonly overwritten: string
}

/** `days` of snapshots of `others` users and her. */
export async function filledWorld({ days, others }: { days: number; others: number }): Promise<FilledWorld> {
  const world = forgetWorld()
  const names = [
    ERIN,
    ...NEIGHBOURS,
    ...ofHerBucket(),
    ...Array.from({ length: others }, (_, index) => `user-${index}`),
  ]
  const order = (index: number, user = names[index % names.length]): StreamRecord =>
    orderRecord(`o${index}`, index + 1, { user: user ?? '', ts: FIRST + index * 7 * MINUTE_MS })
  const past = names.map((user, index) =>
    orderRecord(`old${index}`, index + 1, { user, ts: START + index * MINUTE_MS }),
  )
  const payloads = past.map(({ dataBase64 }) => Buffer.from(dataBase64, 'base64'))
  await world.importAll('past', [...payloads, Buffer.from(JSON.stringify({ type: 'gone', customer: { id: ERIN } }))])
  const count = names.length * 3
  for (let from = 0; from < count; from += 10) {
    world.time.nowMs = FIRST + from * 7 * MINUTE_MS
    await world.send(Array.from({ length: Math.min(10, count - from) }, (_, index) => order(from + index)))
  }
  world.time.nowMs = FIRST + count * 7 * MINUTE_MS + 3 * HOUR_MS
  await world.compact()
  await world.send([order(count, ERIN), order(count + 1, 'user-0'), order(count + 2, ERIN)])
  await leaveAside(world, count + 10)
  for (let day = 0; day < days; day++) {
    world.time.nowMs += DAY_MS
    await world.snapshot(world.time.nowMs)
  }
  const partition = snapshotPartition(world.time.nowMs)
  // Another day of the same name: what is anchored is not what is current.
  const more = orderRecord('more', count + 90, { user: 'user-1', ts: world.time.nowMs - 1000 })
  await world.send([more])
  await world.snapshot(world.time.nowMs)
  const [, first] = await world.catalog.history({ ...SNAPSHOTS, partition })
  const anchored = first?.batchId ?? ''
  await world.catalog.anchor({ ...SNAPSHOTS, partition }, { anchor: 'churn-report', batchId: anchored, ...REASON })
  const overwritten = await teamTables(world, names)
  world.time.nowMs += HOUR_MS
  return { ...world, anchored, overwritten }
}

/** Others who are in the parts that are written anew. */
function ofHerBucket(): readonly string[] {
  const candidates = Array.from({ length: 400 }, (_, index) => `same-${index}`)
  return candidates.filter(name => userBucket(name) === userBucket(ERIN)).slice(0, 3)
}
