// An archive and a catalogue in memory, with a clock that a test moves and a folder for what is spooled.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { compactHours, type CompactOptions, type CompactPorts } from '../../src/archive/compact-hours.ts'
import { EVENTS_TABLE, hourPartition } from '../../src/archive/history-tables.ts'
import type { History, HistoryOptions } from '../../src/archive/history.ts'
import { openHistory } from '../../src/archive/open-history.ts'
import { catalog } from '../../src/catalog/catalog.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { USER_BUCKETS } from '../../src/platform/hash.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore, type ObjectStoreCall } from '../fakes/memory-object-store.ts'
import { NOON_MS } from './factories.ts'

export const DB = 'shop'
export const HOUR_MS = 3_600_000

export interface HistoryWorldOptions {
  /** Of calls to the archive, and to the catalogue's bucket. */
  readonly fault?: (call: ObjectStoreCall) => void
  readonly catalogFault?: (call: ObjectStoreCall) => void
  readonly pageKeysMax?: number
}

export type HistoryWorld = ReturnType<typeof historyWorld>

export function historyWorld({ catalogFault, ...options }: HistoryWorldOptions = {}) {
  const time = { nowMs: NOON_MS }
  const clock = () => time.nowMs
  const archive = memoryObjectStore({ ...options, clock })
  const objects = memoryObjectStore(catalogFault === undefined ? { clock } : { clock, fault: catalogFault })
  const random = seededRandom(7)
  const spoolDir = mkdtempSync(join(tmpdir(), 'millrace-history-'))
  const ports = {
    archive,
    catalog: catalog({ store: memoryCatalogStore(), objects, clock, random, sleep: async () => undefined }),
    db: DB,
    spoolDir,
    clock,
    random,
  }
  return {
    ...ports,
    objects,
    time,
    put: (records: readonly StreamRecord[]) => archiveBatch(records, archive),
    compact: (changes: Partial<CompactOptions> = {}, otherPorts: Partial<CompactPorts> = {}) =>
      compactHours({ ...ports, ...otherPorts }, { who: 'test', why: 'hourly', ...changes }),
    open: () => openHistory(ports),
    remove: () => rmSync(spoolDir, { recursive: true }),
  }
}

export const hourRef = (hour: string) => ({ db: DB, table: EVENTS_TABLE, partition: hourPartition(hour) })

export interface ReadHistory {
  readonly records: readonly StreamRecord[]
  readonly imported: readonly { readonly bucket: number; readonly batchId: string; readonly text: string }[]
}

/** All buckets, by stream, shard and sequence. */
export async function readAll(history: History, options?: HistoryOptions): Promise<ReadHistory> {
  const records: StreamRecord[] = []
  const imported: { bucket: number; batchId: string; text: string }[] = []
  for (let bucket = 0; bucket < USER_BUCKETS; bucket++) {
    for await (const one of history.bucket(bucket, options)) {
      if (one.kind === 'stream') records.push(one.record)
      else imported.push({ bucket, batchId: one.batchId, text: Buffer.from(one.payload).toString() })
    }
  }
  return { records: inOrder(records), imported }
}

export function inOrder(records: readonly StreamRecord[]): StreamRecord[] {
  const keyOf = ({ stream, shard, sequence }: StreamRecord) => `${stream}/${shard}/${sequence.padStart(56, '0')}`
  return records.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}
