// Puts records into the local cloud's stream until each was acknowledged: what is acknowledged must be there for ever.
import { type KinesisClient, PutRecordsCommand, type PutRecordsRequestEntry } from '@aws-sdk/client-kinesis'
import { systemClock, systemSleep } from '../../src/platform/clock.ts'
import type { TrafficRecord } from './flight-traffic.ts'

const ENTRIES_PER_PUT = 500
const RETRY_MS = 50
const GIVE_UP_MS = 60_000

export interface Acknowledged {
  /** Keys of records, `shard/sequence`. */
  readonly keys: readonly string[]
  /** Calls whose outcome is not known: their records may be there twice. */
  readonly unknownOutcomes: number
}

/** Throws what the service says where it says so for a minute. */
export async function putRecords(
  client: KinesisClient,
  streamName: string,
  records: readonly TrafficRecord[],
): Promise<Acknowledged> {
  const keys: string[] = []
  let unknownOutcomes = 0
  let waiting: PutRecordsRequestEntry[] = records.map(({ partitionKey, data, explicitHashKey }) => ({
    PartitionKey: partitionKey,
    Data: data,
    ...(explicitHashKey === undefined ? {} : { ExplicitHashKey: explicitHashKey }),
  }))
  const untilMs = systemClock() + GIVE_UP_MS
  while (waiting.length > 0) {
    const batch = waiting.slice(0, ENTRIES_PER_PUT)
    try {
      const { Records = [] } = await client.send(new PutRecordsCommand({ StreamName: streamName, Records: batch }))
      keys.push(
        ...Records.flatMap(({ ShardId, SequenceNumber }) => (SequenceNumber ? [`${ShardId}/${SequenceNumber}`] : [])),
      )
      const failed = batch.filter((_, index) => Records[index]?.SequenceNumber === undefined)
      waiting = [...failed, ...waiting.slice(batch.length)]
      if (failed.length > 0) await systemSleep(RETRY_MS)
    } catch (error) {
      if (systemClock() > untilMs) throw error
      unknownOutcomes++
      await systemSleep(RETRY_MS)
    }
  }
  return { keys, unknownOutcomes }
}
