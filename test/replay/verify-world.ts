// A pipeline as verify finds it: items that the real recompute wrote, an archive of everything that was delivered, dead letters and
// imports; and hands to damage an item with all checksums right.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { catalog } from '../../src/catalog/catalog.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { type Random, seededRandom } from '../../src/platform/random.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import type { Pipeline } from '../../src/predictions/pipeline.ts'
import { importHistory } from '../../src/replay/import-history.ts'
import { type VerifyOptions, type VerifyReport, verifyUsers } from '../../src/replay/verify.ts'
import { encodeItem, type ItemParts, readPlain } from '../../src/store/item-codec.ts'
import { unpackDedup } from '../../src/store/dedup-codec.ts'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { type MemoryImport, memoryHistory } from '../fakes/memory-history.ts'
import { type MemoryObjectStore, memoryObjectStore } from '../fakes/memory-object-store.ts'
import { type MemoryUserStore, memoryUserStore } from '../fakes/memory-user-store.ts'
import { START } from '../features/factories.ts'
import { countingPredictor, harness, orderRecord, rawRecord, shop } from '../recompute/harness.ts'

const MINUTE = 60_000
const DAY = 86_400_000
/** After every event of the streams below. */
export const NOW = START + 60 * DAY

export interface VerifyWorld {
  users: MemoryUserStore
  readonly archive: MemoryObjectStore
  /** Every record that was ever in the stream. */
  readonly archived: StreamRecord[]
  readonly imports: MemoryImport[]
  readonly waits: number[]
  deliver(records: readonly StreamRecord[]): Promise<void>
  importAll(records: readonly StreamRecord[]): Promise<string>
  verify(changes?: Partial<VerifyOptions>): Promise<VerifyReport>
  item(userId: string): Promise<StoredItem>
  /** Writes the item as it is but for these parts, with lengths and checksums that fit. */
  damage(userId: string, change: (parts: ItemParts) => Partial<ItemParts>): Promise<void>
  /** As if it had never been written. */
  remove(userId: string): void
}

/** `before`: its items, archive and imports to begin with; nothing more can be delivered then. */
export function verifyWorld(before?: VerifyWorld, team: Pipeline = shop): VerifyWorld {
  const archive = before?.archive ?? memoryObjectStore()
  const compiled = compilePipeline(team)
  const run = harness({
    compiled,
    aside: {
      writeDeadLetters: letters => writeDeadLetters(archive, letters),
      writeDoubt: async () => undefined,
    },
  })
  const world: VerifyWorld = {
    users: before === undefined ? run.users : copyOf(before.users, () => true),
    archive,
    archived: [...(before?.archived ?? [])],
    imports: [...(before?.imports ?? [])],
    waits: [],
    async deliver(records) {
      world.archived.push(...records)
      await run.deliver(records)
    },
    importAll: records => importAll(world, records),
    verify: changes =>
      inFolder(spoolDir =>
        verifyUsers({
          compiled,
          users: world.users,
          archive,
          openHistory: async () => memoryHistory(world.archived, world.imports),
          sleep: async ms => void world.waits.push(ms),
          which: { kind: 'all' },
          atMs: NOW,
          waitMs: 10_000,
          spoolDir,
          ...changes,
        }),
      ),
    async item(userId) {
      const item = await world.users.load(userId)
      if (item === undefined || isCorrupt(item)) throw new Error(`no item for ${userId}`)
      return item
    },
    async damage(userId, change) {
      const item = await world.item(userId)
      const parts = partsOf(item)
      world.users.plant(toAttributes(encodeItem({ ...parts, ...change(parts) })))
    },
    remove(userId) {
      world.users = copyOf(world.users, other => other !== userId)
    },
  }
  return world
}

function copyOf(users: MemoryUserStore, isKept: (userId: string) => boolean): MemoryUserStore {
  const copy = memoryUserStore()
  for (const item of users.items()) if (isKept(item.userId) && !isCorrupt(item)) copy.plant(toAttributes(item))
  return copy
}

export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'verify-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export function partsOf(item: StoredItem): ItemParts {
  const textOf = (name: 'st' | 'ft' | 'pr'): string => {
    const read = readPlain(item, name)
    if ('reason' in read) throw new Error(read.reason)
    return Buffer.from(read.plain).toString('utf8')
  }
  return {
    ...item,
    dedup: unpackDedup(item.dedup),
    state: textOf('st'),
    features: textOf('ft'),
    predictions: textOf('pr'),
  }
}

async function importAll(world: VerifyWorld, records: readonly StreamRecord[]): Promise<string> {
  const ports = { clock: () => NOW, random: seededRandom(5), sleep: async () => undefined }
  const payloads = records.map(record => Buffer.from(record.dataBase64, 'base64'))
  const { batch } = await inFolder(spoolDir =>
    importHistory(payloads, {
      ...ports,
      compiled: compilePipeline(shop),
      users: world.users,
      predictor: countingPredictor([]),
      catalog: catalog({ store: memoryCatalogStore(), objects: memoryObjectStore(), ...ports }),
      name: 'orders',
      spoolDir,
      who: 'test',
      why: 'history',
    }),
  )
  if (batch === undefined) throw new Error('nothing was imported')
  const { batchId } = batch
  world.imports.push(
    ...records.map((record, index) => ({
      batchId,
      payload: payloads[index] ?? Buffer.from(''),
      userId: record.partitionKey,
    })),
  )
  return batchId
}

/** Of 12 users on two shards: in order, out of order, repeated, too late, refused, keyed by another user. */
export function randomStream(random: Random, count = 400): StreamRecord[] {
  const below = (limit: number): number => Math.floor(random() * limit)
  const records: StreamRecord[] = []
  for (let sequence = 1; sequence <= count; sequence++) {
    const now = START + 10 * DAY + sequence * 40 * MINUTE
    const before = records[below(records.length)]
    const kind = random()
    const user = `user-${below(12)}`
    const shard = `shardId-00000000000${below(2)}`
    if (kind < 0.06 && before !== undefined) {
      // A producer that did not hear of its success: another sequence, the same event.
      records.push({ ...before, sequence: `${sequence}`, arrivalMs: now, shard })
      continue
    }
    if (kind < 0.09) records.push({ ...rawRecord('{"type":"order.placed"}', sequence, user, now), shard })
    else if (kind < 0.12)
      records.push({ ...orderRecord(sequence, sequence, { user, ts: now }), partitionKey: 'other', shard })
    else {
      const late = kind < 0.2 ? below(20) * DAY : kind < 0.4 ? below(300) * MINUTE : 0
      const record =
        random() < 0.3
          ? visitRecord(sequence, user, now - late)
          : orderRecord(sequence, sequence, { user, ts: now - late, amount: 1 + below(50_000) / 100 })
      records.push({ ...record, arrivalMs: now, shard })
    }
  }
  return records
}

export function visitRecord(sequence: number, user: string, ts: number): StreamRecord {
  const payload = {
    type: 'site.visited',
    visitId: `v${sequence}`,
    customer: user,
    at: new Date(ts).toISOString(),
    seconds: (sequence % 97) / 7,
  }
  return rawRecord(payload, sequence, user, ts + 1000)
}

/** In batches of some length, each now and then delivered once more, as after a partial failure. */
export async function deliverAll(world: VerifyWorld, records: readonly StreamRecord[], random: Random): Promise<void> {
  for (let from = 0; from < records.length; ) {
    const batch = records.slice(from, (from += 1 + Math.floor(random() * 60)))
    for (const shard of new Set(batch.map(record => record.shard))) {
      const own = batch.filter(record => record.shard === shard)
      await world.deliver(own)
      if (random() < 0.2) await world.deliver(own.slice(Math.floor(random() * own.length)))
    }
  }
}
