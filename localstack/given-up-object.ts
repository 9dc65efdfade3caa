// The object that Lambda writes to S3 when it gives a batch up (Lambda developer guide, "Retain discarded records for a Kinesis
// event source"): where and why, and the event itself as a text. `src/archive/given-up.ts` reads it.
import type { Random } from '../src/platform/random.ts'
import type { MappingPlan } from './deployment-plan.ts'
import type { GivenUpObject } from './mapped-stream.ts'
import { eventOf, type MappedRecord } from './mapped-record.ts'

/** Why a batch is given up, in Lambda's words. */
export type GivenUpCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded'

export interface GivenUpBatch {
  readonly shard: string
  readonly records: readonly MappedRecord[]
  readonly condition: GivenUpCondition
  /** Times that the function was invoked with them. */
  readonly invocations: number
  /** The last of these ended with an error of the function, not with an answer. */
  readonly isFunctionError: boolean
}

export function givenUpObject(
  { shard, records, condition, invocations, isFunctionError }: GivenUpBatch,
  { uuid, functionArn, streamArn }: Pick<MappingPlan, 'uuid' | 'functionArn' | 'streamArn'>,
  { atMs, random }: { readonly atMs: number; readonly random: Random },
): GivenUpObject {
  const timestamp = new Date(atMs).toISOString()
  const [first, last] = [records[0], records.at(-1)]
  const body = {
    requestContext: { requestId: randomUuid(random), functionArn, condition, approximateInvokeCount: invocations },
    // Absent where the function was never invoked.
    ...(invocations === 0
      ? {}
      : {
          responseContext: {
            statusCode: 200,
            executedVersion: '$LATEST',
            functionError: isFunctionError ? 'Unhandled' : null,
          },
        }),
    version: '1.0',
    timestamp,
    KinesisBatchInfo: {
      shardId: shard,
      startSequenceNumber: first?.sequence,
      endSequenceNumber: last?.sequence,
      approximateArrivalOfFirstRecord: instantOf(first),
      approximateArrivalOfLastRecord: instantOf(last),
      batchSize: records.length,
      streamArn,
    },
    payload: eventOf(records),
  }
  return { key: keyOf(uuid, shard, timestamp, random), body: JSON.stringify(body) }
}

/** `aws/lambda/<mapping>/<shard>/2026/01/02/2026-01-02T03.04.05-<random>` */
function keyOf(uuid: string, shard: string, timestamp: string, random: Random): string {
  const day = timestamp.slice(0, 'YYYY-MM-DD'.length).replaceAll('-', '/')
  const second = timestamp.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length).replaceAll(':', '.')
  return `aws/lambda/${uuid}/${shard}/${day}/${second}-${randomUuid(random)}`
}

function instantOf(record: MappedRecord | undefined): string | undefined {
  return record === undefined ? undefined : new Date(record.arrivalMs).toISOString()
}

const UUID_TEMPLATE = 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'
const HEX = 16

/** Version 4, of the randomness that was handed in. */
function randomUuid(random: Random): string {
  return UUID_TEMPLATE.replace(/[xy]/g, digit => {
    const value = Math.floor(random() * HEX)
    return (digit === 'x' ? value : (value & 0b11) | 0b1000).toString(HEX)
  })
}
