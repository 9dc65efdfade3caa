// A history in memory, for tests of what reads one: the same rules of buckets, repeats and filters as the archive's own.
import type { History, HistoryRecord } from '../../src/archive/history.ts'
import type { BatchInput } from '../../src/catalog/items.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { userBucket } from '../../src/platform/hash.ts'

export interface MemoryImport {
  readonly batchId: string
  /** Upstream's own JSON, or bytes that no contract reads. */
  readonly payload: Uint8Array | object
  /** Whose event it is; undefined: a line that could not be decoded when it came, so it is in every bucket. */
  readonly userId?: string
}

/** `positions` by `stream@epoch/shard`; where none is given: each shard's highest sequence among the records. */
export function memoryHistory(
  records: readonly StreamRecord[],
  imports: readonly MemoryImport[] = [],
  positions: ReadonlyMap<string, string> = highestSequences(records),
): History {
  const once = new Map(records.toReversed().map(record => [`${markOf(record)}/${record.sequence}`, record]))
  const batchIds = [...new Set(imports.map(({ batchId }) => batchId))].sort()
  return {
    inputs: batchIds.map(importInput),
    positions,
    imports: batchIds,
    async *bucket(bucket, { userIds } = {}) {
      for (const record of once.values()) {
        const { partitionKey } = record
        if (userBucket(partitionKey) !== bucket || userIds?.has(partitionKey) === false) continue
        yield { kind: 'stream', record }
      }
      for (const { batchId, payload, userId } of imports) {
        if (userId !== undefined && userBucket(userId) !== bucket) continue
        yield importRecord(batchId, payload)
      }
    },
    close: async () => {},
  }
}

function importRecord(batchId: string, payload: Uint8Array | object): HistoryRecord {
  const bytes = payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload))
  return { kind: 'import', batchId, payload: bytes }
}

function importInput(batchId: string): BatchInput {
  return { table: 'test.imported_events', partition: `import=${batchId}`, batchId }
}

function highestSequences(records: readonly StreamRecord[]): Map<string, string> {
  const highest = new Map<string, string>()
  for (const record of records) {
    const key = markOf(record)
    const { sequence } = record
    const known = highest.get(key)
    if (known === undefined || BigInt(sequence) > BigInt(known)) highest.set(key, sequence)
  }
  return highest
}

function markOf({ stream, shard }: StreamRecord): string {
  return `${stream}/${shard}`
}
