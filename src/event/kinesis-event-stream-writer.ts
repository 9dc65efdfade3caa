// The events stream on Kinesis. The SDK repeats a call that failed as a whole; entries that failed inside a call are the
// producer's to repeat, because only it knows the order.
import { type KinesisClient, PutRecordsCommand, type PutRecordsResultEntry } from '@aws-sdk/client-kinesis'
import { diagnoseServiceFailure, readServiceFailure } from '../platform/service-failure.ts'
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
        throw toEventStreamError(error, streamName)
      }
    },
  }
}

function toResult({ ShardId, SequenceNumber, ErrorCode }: PutRecordsResultEntry): PutResult {
  return ShardId !== undefined && SequenceNumber !== undefined
    ? { outcome: 'put', shard: ShardId, sequence: SequenceNumber }
    : { outcome: 'failed', code: ErrorCode ?? 'unknown' }
}

function toEventStreamError(error: unknown, streamName: string): EventStreamError {
  const diagnosis = diagnoseServiceFailure(error, { kind: 'stream', name: streamName })
  if (diagnosis !== undefined) return new EventStreamError(diagnosis.message, { ...diagnosis, cause: error })
  const { name, isRetriable } = readServiceFailure(error)
  return new EventStreamError('The stream did not take the events', {
    code: name,
    retriable: isRetriable,
    next: isRetriable ? 'Send the same events again later.' : 'Look at the cause: the stream, its name, the role.',
    cause: error,
  })
}
