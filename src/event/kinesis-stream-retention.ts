// For how long Kinesis keeps a record: until then one that was there can be delivered again.
import { DescribeStreamSummaryCommand, type KinesisClient } from '@aws-sdk/client-kinesis'
import { HOUR_MS } from '../platform/duration.ts'
import { readServiceFailure } from '../platform/service-failure.ts'
import { EventStreamError } from './errors.ts'

/** Throws EventStreamError. */
export async function kinesisRetentionMs(client: KinesisClient, streamName: string): Promise<number> {
  try {
    const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName: streamName }))
    return (StreamDescriptionSummary?.RetentionPeriodHours ?? 0) * HOUR_MS
  } catch (error) {
    throw new EventStreamError(
      `Could not ask ${streamName} how long it keeps records: ${readServiceFailure(error).name}`,
      {
        code: 'stream-unreadable',
        next: 'Give kinesis:DescribeStreamSummary, or check the endpoint and the name of the stage.',
        retriable: readServiceFailure(error).isRetriable,
        cause: error,
      },
    )
  }
}
