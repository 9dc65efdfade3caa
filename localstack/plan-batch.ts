// When a batch is sent and how much goes into it: a full one, one that has reached the payload limit, or whatever is there
// when the batching window ends (Lambda developer guide, "Batching behavior").
import { EVENT_ENVELOPE_BYTES, type MappedRecord, RECORD_SEPARATOR_BYTES } from './mapped-record.ts'
import { PAYLOAD_BYTES_MAX } from './runtime-protocol.ts'

export interface BatchLimits {
  readonly batchSize: number
  /** True when no more records are to be waited for. */
  readonly isWindowOver: boolean
}

/** How many of the buffered records to send now; 0 means wait for more. */
export function planBatch(buffered: readonly MappedRecord[], { batchSize, isWindowOver }: BatchLimits): number {
  let bytes = EVENT_ENVELOPE_BYTES
  for (const [index, { jsonBytes }] of buffered.entries()) {
    if (index === batchSize) return batchSize
    bytes += jsonBytes + RECORD_SEPARATOR_BYTES
    // A record that is too large by itself goes alone and fails as an invocation, which is where its size is an error.
    if (bytes > PAYLOAD_BYTES_MAX) return Math.max(index, 1)
  }
  return isWindowOver || buffered.length === batchSize ? buffered.length : 0
}
