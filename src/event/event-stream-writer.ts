// The port for appending to the events stream (Kinesis in production, memory in tests).
import { EVENT_BYTES_MAX } from './limits.ts'

export interface StreamEntry {
  /** The user's id: all of a user's events share a shard, which is what order per user rests on. */
  readonly partitionKey: string
  readonly data: Uint8Array
}

export type PutResult =
  | { readonly outcome: 'put'; readonly shard: string; readonly sequence: string }
  /** This entry alone was not taken: the shard is throttled, or failed inside. */
  | { readonly outcome: 'failed'; readonly code: string }

export interface EventStreamWriter {
  /** One PutRecords: a result per entry, in their order. Throws EventStreamError where the call as a whole failed. */
  putRecords(entries: readonly StreamEntry[]): Promise<readonly PutResult[]>
}

/** Amazon Kinesis API reference, PutRecords. The newer 10 MiB of some regions is not used: 5 MiB is taken everywhere. */
export const ENTRIES_PER_PUT_MAX = 500
export const PUT_BYTES_MAX = 5 * 1024 * 1024
/** What a stream takes for one record unless the limit was raised, key included; a consumer reads no more either. */
export const ENTRY_BYTES_MAX = EVENT_BYTES_MAX

/** What Kinesis counts: the payload and the partition key. */
export function entryBytes(entry: StreamEntry): number {
  return entry.data.byteLength + Buffer.byteLength(entry.partitionKey, 'utf8')
}
