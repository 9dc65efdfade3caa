// What waits to be delivered, and when a batch of it is sent: a full one, one that has reached the payload limit, or whatever is
// there when the batching window ends (Lambda developer guide, "Batching behavior"). Each record is measured once or twice, however
// often somebody asks.
import { fifo } from './fifo.ts'
import { EVENT_ENVELOPE_BYTES, type MappedRecord, RECORD_SEPARATOR_BYTES } from './mapped-record.ts'
import { PAYLOAD_BYTES_MAX } from './runtime-protocol.ts'

export interface BatchQueue {
  readonly length: number
  /** Nothing that is pushed from here on goes into the next batch. */
  readonly isBatchFull: boolean
  push(record: MappedRecord): void
  /** The next batch; empty where it is to wait for more. */
  take(limits: { readonly isWindowOver: boolean }): readonly MappedRecord[]
}

export function batchQueue(batchSize: number): BatchQueue {
  const waiting = fifo<MappedRecord>()
  /** Of the next batch, which is the first so many of those that wait. */
  let count = 0
  let bytes = EVENT_ENVELOPE_BYTES
  let isFull = false

  function measure(): void {
    for (let record = waiting.at(count); record !== undefined && !isFull; record = waiting.at(count)) {
      bytes += record.jsonBytes + RECORD_SEPARATOR_BYTES
      isFull = bytes > PAYLOAD_BYTES_MAX
      // A record that is too large by itself goes alone and fails as an invocation, which is where its size is an error.
      if (isFull && count > 0) return
      count++
      isFull ||= count === batchSize
    }
  }

  return {
    get length() {
      return waiting.length
    },
    get isBatchFull() {
      return isFull
    },
    push: record => {
      waiting.push(record)
      measure()
    },
    take: ({ isWindowOver }) => {
      if (!isFull && !isWindowOver) return []
      const batch = waiting.take(count)
      count = 0
      bytes = EVENT_ENVELOPE_BYTES
      isFull = false
      measure()
      return batch
    },
  }
}
