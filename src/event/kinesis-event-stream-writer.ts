// The events stream on Kinesis. The SDK repeats a call that failed as a whole; entries that failed inside a call are the
// producer's to repeat, because only it knows the order.
import { type KinesisClient, PutRecordsCommand, type PutRecordsResultEntry } from '@aws-sdk/client-kinesis'
import { EventStreamError } from './errors.ts'
import type { EventStreamWriter, PutResult } from './event-stream-writer.ts'

export function kinesisEventStreamWriter(client: KinesisClient, streamName: string): EventStreamWriter {
  return {
    async putRecords(entries) {
      const command = new PutRecordsCommand({
        StreamName: streamName,
        Records: entries.map(({ partitionKey, data }) => ({ PartitionKey: partitionKey, Data: data })),
      })
      try {
        const { Records } = await client.send(command)
        return (Records ?? []).map(toResult)
      } catch (error) {
        throw toEventStreamError(error)
      }
    },
  }
}

function toResult({ ShardId, SequenceNumber, ErrorCode }: PutRecordsResultEntry): PutResult {
  return ShardId !== undefined && SequenceNumber !== undefined
    ? { outcome: 'put', shard: ShardId, sequence: SequenceNumber }
    : { outcome: 'failed', code: ErrorCode ?? 'unknown' }
}

const HTTP_SERVER_ERROR = 500

/** A fault of the service or the network passes; a refusal (no such stream, no right, not valid) stays. */
function toEventStreamError(error: unknown): EventStreamError {
  const { name, $metadata } = (error ?? {}) as { name?: unknown; $metadata?: { httpStatusCode?: number } }
  const code = typeof name === 'string' ? name : 'unknown'
  const status = $metadata?.httpStatusCode
  const isThrottled = THROTTLES.has(code)
  return new EventStreamError('The stream did not take the events', {
    code,
    retriable: isThrottled || status === undefined || status >= HTTP_SERVER_ERROR,
    cause: error,
    next: isThrottled
      ? 'Wait, or give the stream more shards.'
      : 'Look at the cause, and at the stream in the console.',
  })
}

/** Errors of PutRecords that are HTTP 400 and still pass (Kinesis API reference). */
const THROTTLES: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'KMSThrottlingException',
  'ThrottlingException',
  'LimitExceededException',
])
