// The events stream in memory. It holds PutRecords' limits, so that a caller that breaks one fails here as on Kinesis, and a
// fault hook refuses single entries or whole calls.
import { hash } from 'node:crypto'
import { EventStreamError } from '../../src/event/errors.ts'
import {
  ENTRIES_PER_PUT_MAX,
  ENTRY_BYTES_MAX,
  entryBytes,
  type EventStreamWriter,
  PUT_BYTES_MAX,
  type PutResult,
  type StreamEntry,
} from '../../src/event/event-stream-writer.ts'

export interface TakenEntry extends StreamEntry {
  readonly shard: string
  readonly sequence: string
}

/** A service's error code for an entry that is refused, undefined for one that is taken; or an error for the whole call. */
export type PutFault = (
  entry: StreamEntry,
  at: { readonly call: number; readonly position: number },
) => string | undefined

export interface MemoryEventStream extends EventStreamWriter {
  /** Every call, as it was sent. */
  readonly calls: readonly (readonly StreamEntry[])[]
  /** In the order of their sequences. */
  readonly taken: readonly TakenEntry[]
}

export interface MemoryEventStreamOptions {
  readonly shards?: number
  readonly entryFault?: PutFault
  /** Called before a call is looked at; what it returns is thrown. */
  readonly callFault?: (call: number) => Error | undefined
}

export function memoryEventStream(options: MemoryEventStreamOptions = {}): MemoryEventStream {
  const calls: (readonly StreamEntry[])[] = []
  const taken: TakenEntry[] = []
  const put = (entry: StreamEntry): PutResult => {
    const shard = `shardId-${String(shardOf(entry.partitionKey, options.shards ?? 1)).padStart(12, '0')}`
    const record = { ...entry, shard, sequence: String(taken.length + 1) }
    taken.push(record)
    return { outcome: 'put', shard, sequence: record.sequence }
  }
  return {
    calls,
    taken,
    putRecords(entries) {
      calls.push(entries)
      const call = calls.length
      const error = options.callFault?.(call) ?? brokenLimit(entries)
      if (error !== undefined) return Promise.reject(error)
      return Promise.resolve(
        entries.map((entry, position): PutResult => {
          const code = options.entryFault?.(entry, { call, position })
          return code === undefined ? put(entry) : { outcome: 'failed', code }
        }),
      )
    },
  }
}

function shardOf(partitionKey: string, shards: number): number {
  return Number.parseInt(hash('md5', partitionKey, 'hex').slice(0, 8), 16) % shards
}

function brokenLimit(entries: readonly StreamEntry[]): EventStreamError | undefined {
  const sizes = entries.map(entryBytes)
  const isRight =
    entries.length > 0 &&
    entries.length <= ENTRIES_PER_PUT_MAX &&
    sizes.every(bytes => bytes <= ENTRY_BYTES_MAX) &&
    sizes.reduce((sum, bytes) => sum + bytes, 0) <= PUT_BYTES_MAX
  return isRight
    ? undefined
    : new EventStreamError('The call breaks a limit of PutRecords', { code: 'ValidationException' })
}
