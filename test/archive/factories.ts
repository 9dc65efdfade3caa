// Records of a stream with real shapes: sequences of 56 digits with gaps, arrivals in their order.
import { listRawHours, readRawHour } from '../../src/archive/raw-hours.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import type { ObjectStore } from '../../src/platform/object-store.ts'

export const NOON_MS = Date.UTC(2026, 0, 2, 12)
export const SHARD = { stream: 'events@1', shard: 'shardId-000000000000' } as const

export function sequenceOf(index: number): string {
  return String(49_590_338_271_490_256n * 10n ** 39n + BigInt(index) * 7n)
}

export function recordAt(index: number, changes: Partial<StreamRecord> = {}): StreamRecord {
  return {
    ...SHARD,
    sequence: sequenceOf(index),
    arrivalMs: NOON_MS + index * 1000,
    partitionKey: `user-${index}@example.com`,
    dataBase64: Buffer.from(`{"n":${index}}`).toString('base64'),
    ...changes,
  }
}

export function recordsAt(from: number, to: number): StreamRecord[] {
  return Array.from({ length: to - from }, (_, index) => recordAt(from + index))
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** What the raw objects hold, hour by hour, each record once. */
export async function rawRecords(objects: ObjectStore): Promise<StreamRecord[]> {
  const records: StreamRecord[] = []
  for await (const { raw } of listRawHours(objects)) records.push(...(await collect(readRawHour(objects, raw, []))))
  return records
}

export const GIVEN_UP_KEY = 'aws/lambda/7b1c/shardId-000000000000/2026/01/02/2026-01-02T03.04.05-1'

/** What Lambda writes to S3 of a batch that it gave up on: its invocation record, with the event as the function was given it. */
export function failureObject(records: readonly StreamRecord[]): Uint8Array {
  const payload = {
    Records: records.map(({ stream, shard, sequence, arrivalMs, partitionKey, dataBase64 }) => ({
      kinesis: {
        kinesisSchemaVersion: '1.0',
        partitionKey,
        sequenceNumber: sequence,
        data: dataBase64,
        approximateArrivalTimestamp: arrivalMs / 1000,
      },
      eventSource: 'aws:kinesis',
      eventID: `${shard}:${sequence}`,
      eventSourceARN: `arn:aws:kinesis:eu-central-1:000000000000:stream/${stream.replace(/@.*/, '')}`,
    })),
  }
  const responseContext = { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' }
  return Buffer.from(JSON.stringify({ version: '1.0', responseContext, payload: JSON.stringify(payload) }))
}
