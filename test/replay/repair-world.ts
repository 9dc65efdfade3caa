// A world of backfills with a stream that can be asked for its end, items that get damaged, and a twin that nothing happens to.
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openHistory } from '../../src/archive/open-history.ts'
import { listDeadLetters } from '../../src/archive/dead-letters.ts'
import { compareSequences, type StreamRecord } from '../../src/event/stream-record.ts'
import { repairUsers, type RepairRequest } from '../../src/replay/repair-users.ts'
import type { RepairResult } from '../../src/replay/repair-write.ts'
import { verifyUsers } from '../../src/replay/verify.ts'
import type { Attributes } from '../../src/store/dynamodb-attributes.ts'
import { decodeItem, isUnreadable, readBody } from '../../src/store/item-codec.ts'
import type { MemoryUserStore } from '../fakes/memory-user-store.ts'
import { withBitFlipped } from '../store/damage.ts'
import { type BackfillWorld, backfillWorld, before, itemOf } from './backfill-world.ts'

const DAY_MS = 86_400_000
export const SHARD = 'shardId-000000000000'
export const STREAM = 'events@1'

export interface RepairWorld extends BackfillWorld {
  /** All that was put on the stream. */
  readonly stream: StreamRecord[]
  /** Sequences that the tip was asked for beyond, one entry a call. */
  readonly tipReads: ReadonlyMap<string, string>[]
  /** Awaited in each look at the end of the stream. */
  onTip: (() => Promise<void>) | undefined
  /** Ids of the shards that the stream has. */
  shards: readonly string[]
  put(records: readonly StreamRecord[]): void
  repair(request?: Partial<RepairRequest>): Promise<readonly RepairResult[]>
  damage(userId: string, change: (attributes: Attributes) => Attributes): void
}

export function repairWorld(): RepairWorld {
  const own: BackfillWorld = backfillWorld()
  const stream: StreamRecord[] = []
  const tipReads: ReadonlyMap<string, string>[] = []
  const world: RepairWorld = Object.assign(own, {
    stream,
    tipReads,
    onTip: undefined,
    shards: [SHARD],
    put: (records: readonly StreamRecord[]) => void stream.push(...records),
    damage(userId: string, change: (attributes: Attributes) => Attributes) {
      const attributes = world.users.raw(userId)
      if (attributes === undefined) throw new Error(`no item for ${userId}`)
      world.users.plant({ ...change(attributes), userId: { S: userId } })
    },
    async repair(request: Partial<RepairRequest> = {}) {
      const runDir = mkdtempSync(join(world.spoolDir, 'repair-'))
      const ports = { catalog: world.catalog, archive: world.archive, db: 'shop', spoolDir: runDir }
      const history = await openHistory(ports)
      const sleep = async (ms: number): Promise<void> => {
        world.sleeps.push(ms)
        world.nowMs += ms
        await world.onSleep?.(ms)
      }
      const tip = {
        streamName: STREAM.slice(0, STREAM.indexOf('@')),
        shards: async () => [...world.shards],
        async read(after: ReadonlyMap<string, string>) {
          tipReads.push(new Map(after))
          await world.onTip?.()
          return lastOf(stream, after)
        },
      }
      const { users, archive, predictor, spills } = world
      const deps = { compiled: before, users, predictor, spills, archive, history, tip, sleep, spoolDir: runDir }
      const defaults = { userIds: ['user-0'], stream: STREAM, waitMs: 0, by: 'test', who: 'ana' }
      try {
        return await repairUsers({ ...defaults, ...request }, { ...deps, clock: () => world.nowMs })
      } finally {
        await history.close()
        rmSync(runDir, { recursive: true })
      }
    },
  })
  return world
}

function lastOf(stream: readonly StreamRecord[], after: ReadonlyMap<string, string>): Map<string, string> {
  const last = new Map<string, string>()
  for (const { shard, sequence } of stream) {
    const known = last.get(shard) ?? after.get(shard)
    if (known === undefined || compareSequences(sequence, known) > 0) last.set(shard, sequence)
  }
  return last
}

/** What an item means, without its version and what follows from that. */
export async function meaningOf(users: MemoryUserStore, userId: string): Promise<unknown> {
  const item = await itemOf(users, userId)
  const decoded = decodeItem(item)
  const bodies = [readBody(item, 'ft'), readBody(item, 'pr')]
  if (isUnreadable(decoded) || bodies.some(isUnreadable)) throw new Error('unreadable')
  const { v: _v, dedup: _dedup, st: _st, ft: _ft, pr: _pr, sum: _sum, ...head } = item
  return { ...head, dedup: decoded.dedup, state: decoded.state, bodies }
}

/** What shares no code with the fold has nothing to say either. */
export async function expectVerified(world: BackfillWorld): Promise<void> {
  const report = await verifyUsers({
    compiled: before,
    users: world.users,
    archive: world.archive,
    openHistory: () => world.open(),
    sleep: async () => undefined,
    which: { kind: 'all' },
    atMs: world.nowMs,
    waitMs: 0,
    spoolDir: world.spoolDir,
  })
  expect(report.counts).toMatchObject({ missing: 0, extra: 0, different: 0, corrupt: 0 })
}

export async function openReasons(world: BackfillWorld): Promise<readonly string[]> {
  const reasons: string[] = []
  for await (const { reason } of listDeadLetters(world.archive)) reasons.push(reason)
  return reasons
}

const BLOBS = ['dedup', 'st', 'ft', 'pr', 'sum'] as const

/** Each attribute gone, of another type, and changed; blobs also torn and grown; and combinations that leave nothing to rely on. */
export const DAMAGES: Readonly<Record<string, (attributes: Attributes) => Attributes>> = {
  ...Object.fromEntries(
    ['v', 'at', 'asOf', 'definitions', 'models', ...BLOBS].flatMap(name => [
      [`${name} gone`, (all: Attributes) => without(all, name)],
      [`${name} of another type`, (all: Attributes) => ({ ...all, [name]: { BOOL: true } }) as Attributes],
    ]),
  ),
  ...Object.fromEntries(
    BLOBS.flatMap(name => [
      [`${name} flipped`, changed(name, bytes => withBitFlipped(bytes, bytes.length * 4))],
      [`${name} torn`, changed(name, bytes => bytes.subarray(0, -3))],
      [`${name} grown`, changed(name, bytes => Buffer.concat([bytes, Buffer.from('x')]))],
      [`${name} empty`, changed(name, () => new Uint8Array())],
    ]),
  ),
  'v changed': all => ({ ...all, v: { N: '77' } }),
  'at changed': all => ({ ...all, at: { N: '1' } }),
  'asOf changed': all => ({ ...all, asOf: { N: '1' } }),
  'fresh added or changed': all => ({ ...all, fresh: { N: '1' } }),
  'definitions changed': all => ({ ...all, definitions: { S: 'other' } }),
  'models changed': all => ({ ...all, models: { M: { churn: { S: 'x' } } } }),
  'imports added': all => ({ ...all, imports: { SS: ['x'] } }),
  'nothing left but the key': () => ({}),
  'nothing left but what others wrote': ({ ttl }) => (ttl === undefined ? {} : { ttl }),
}

function changed(name: (typeof BLOBS)[number], change: (bytes: Uint8Array) => Uint8Array) {
  return (all: Attributes): Attributes => ({ ...all, [name]: { B: change(all[name]?.B ?? new Uint8Array()) } })
}

function without(all: Attributes, name: string): Attributes {
  return Object.fromEntries(Object.entries(all).filter(([other]) => other !== name))
}

/** After all of `orders`. */
export function laterOrder(sequence: number, user = 'user-0'): StreamRecord {
  return orderRecord(`extra-${sequence}`, sequence, { user, ts: START + 91 * DAY_MS })
}

/** Folded, and not archived. */
export async function fold(world: RepairWorld, records: readonly StreamRecord[]): Promise<void> {
  world.put(records)
  await world.deliver(records)
}
