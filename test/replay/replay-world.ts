// The world of a backfill with a replay of dead letters in it: contracts that refuse for a while, crashes at any call, and the two
// questions that must have the same answer afterwards: what the stream made, and what history says.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { listLetters } from '../../src/archive/letters.ts'
import { listObjects, listShards, loadLines } from '../../src/archive/list-objects.ts'
import { openHistory } from '../../src/archive/open-history.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { max } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { recordKey } from '../../src/replay/counted-events.ts'
import { type ReplayReport, replayLetters, type ReplayRequest } from '../../src/replay/replay-letters.ts'
import { previewLetters } from '../../src/replay/replay-letters-preview.ts'
import { type VerifyReport, verifyUsers } from '../../src/replay/verify.ts'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { isCorrupt } from '../../src/store/user-item.ts'
import { collect } from '../archive/factories.ts'
import { visit } from '../features/factories.ts'
import { countingPredictor } from '../recompute/harness.ts'
import { after, type BackfillWorld, backfillWorld } from './backfill-world.ts'

/** Before anybody had a contract of orders: they are refused as `unknown-type`, whole. */
export const visitsOnly = compilePipeline(
  pipeline({
    name: 'shop',
    events: [visit],
    features: features({ longest: max(visit, 'seconds', { within: '14d' }) }),
    models: [],
  }),
)

export interface ReplayWorld extends BackfillWorld {
  replay(request?: Partial<ReplayRequest>): Promise<ReplayReport>
  preview(request?: Partial<ReplayRequest>): Promise<ReplayReport>
  verify(): Promise<VerifyReport>
  /** Delivered and archived while orders have no contract. */
  sendRefused(records: readonly StreamRecord[]): Promise<void>
  /** `reason sequence` of open letters. */
  openLetters(): Promise<readonly string[]>
  /** `recordKey` → how often it was closed. */
  closings(): Promise<ReadonlyMap<string, number>>
  /** Everything that is stored, of users and archive. */
  bytes(): Promise<string>
}

export function replayWorld(): ReplayWorld {
  const base = backfillWorld()
  const inFolder = async <T>(use: (folder: string) => Promise<T>): Promise<T> => {
    const folder = mkdtempSync(join(base.spoolDir, 'replay-'))
    try {
      return await use(folder)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  const dependencies = (spoolDir: string) => ({
    compiled: after,
    users: base.users,
    archive: base.archive,
    predictor: countingPredictor(base.modelRuns),
    openHistory: () => openHistory({ catalog: base.catalog, archive: base.archive, db: 'shop', spoolDir }),
    random: seededRandom(3),
    clock: () => base.nowMs,
    sleep: async (ms: number) => {
      base.nowMs += ms
      await base.onSleep?.(ms)
    },
    spoolDir,
  })
  base.live = after
  return Object.assign(base, {
    replay: (request: Partial<ReplayRequest> = {}) =>
      inFolder(folder => replayLetters({ choice: {}, waitMs: 0, by: 'replay', ...request }, dependencies(folder))),
    preview: (request: Partial<ReplayRequest> = {}) =>
      inFolder(folder => previewLetters({ choice: {}, ...request }, dependencies(folder))),
    verify: () =>
      inFolder(folder => verifyUsers({ ...dependencies(folder), which: { kind: 'all' }, atMs: base.nowMs, waitMs: 0 })),
    async sendRefused(records: readonly StreamRecord[]) {
      const { live } = base
      base.live = visitsOnly
      await base.send(records)
      base.live = live
    },
    async openLetters() {
      return (await collect(listLetters(base.archive))).map(({ reason, sequence }) => `${reason} ${sequence}`)
    },
    async closings() {
      const counts = new Map<string, number>()
      for await (const shard of listShards(base.archive, 'closed')) {
        for await (const object of listObjects(base.archive, 'closed', { shard })) {
          for (const line of await loadLines(base.archive, object)) {
            const key = recordKey({
              stream: line.text('stream'),
              shard: line.text('shard'),
              sequence: line.text('sequence'),
            })
            counts.set(key, (counts.get(key) ?? 0) + 1)
          }
        }
      }
      return counts
    },
    async bytes() {
      const items = base.users.items().map(item => (isCorrupt(item) ? item : toAttributes(item)))
      const keys: string[] = []
      for await (const { key } of base.archive.list('')) keys.push(key)
      return JSON.stringify([items, keys])
    },
  })
}
