// A stream, a function and time in memory, for the event source mapping: deterministic, and it counts.
import type { Clock, Sleep } from '../../src/platform/clock.ts'
import type { StreamedRecord } from '../../localstack/mapped-record.ts'
import type { MappedStream, ShardStart } from '../../localstack/mapped-stream.ts'

const FIRST_SEQUENCE = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n

export interface MemoryStream extends MappedStream {
  put(shard: string, data: string, options?: { readonly arrivalMs?: number; readonly partitionKey?: string }): string
  close(shard: string): void
  sequences(shard: string): string[]
}

export function memoryStream(shards: readonly string[]): MemoryStream {
  const records = new Map<string, StreamedRecord[]>(shards.map(shard => [shard, []]))
  const closed = new Set<string>()
  let nextSequence = FIRST_SEQUENCE
  const inShard = (shard: string): StreamedRecord[] => records.get(shard) ?? []
  return {
    put: (shard, data, { arrivalMs = 1_545_084_650_987, partitionKey = 'key' } = {}) => {
      const sequence = String(nextSequence)
      nextSequence += 3n
      inShard(shard).push({ sequence, partitionKey, dataBase64: Buffer.from(data).toString('base64'), arrivalMs })
      return sequence
    },
    close: shard => void closed.add(shard),
    sequences: shard => inShard(shard).map(({ sequence }) => sequence),
    listShards: async () => shards,
    openShard: async (shard, start) => {
      let position = startIndex(inShard(shard), start)
      return {
        read: async recordsMax => {
          const read = inShard(shard).slice(position, position + recordsMax)
          position += read.length
          return { records: read, isClosed: closed.has(shard) && position === inShard(shard).length }
        },
      }
    },
  }
}

function startIndex(records: readonly StreamedRecord[], start: ShardStart): number {
  if (start.type === 'LATEST') return records.length
  if (start.type === 'AFTER_SEQUENCE') return records.findIndex(({ sequence }) => sequence === start.sequence) + 1
  return 0
}

export interface VirtualTime {
  readonly clock: Clock
  readonly sleep: Sleep
  /** Lets everything run and jumps from sleeper to sleeper until the condition holds. */
  runUntil(isDone: () => boolean): Promise<void>
}

/** More turns than any test needs: one that waits for what never comes fails instead of hanging. */
const TURNS_MAX = 20_000

export function virtualTime(): VirtualTime {
  let nowMs = 1_700_000_000_000
  let sleepers: { wakeMs: number; wake: () => void }[] = []
  return {
    clock: () => nowMs,
    sleep: ms => new Promise(wake => sleepers.push({ wakeMs: nowMs + ms, wake })),
    runUntil: async isDone => {
      for (let turn = 0; turn < TURNS_MAX; turn++) {
        await new Promise(resolve => setImmediate(resolve))
        if (isDone()) return
        const next = sleepers.reduce<(typeof sleepers)[0] | undefined>(
          (first, sleeper) => (first === undefined || sleeper.wakeMs < first.wakeMs ? sleeper : first),
          undefined,
        )
        if (next === undefined) continue
        sleepers = sleepers.filter(sleeper => sleeper !== next)
        nowMs = Math.max(nowMs, next.wakeMs)
        next.wake()
      }
      throw new Error('the condition never held')
    },
  }
}
