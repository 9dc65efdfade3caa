// Lambda's Kinesis event as stream records. It comes from AWS and not from upstream: another shape means that the function is
// wired to something else, and then every record must be retried, so it throws.
import { MillraceError } from '../platform/errors.ts'
import { SECOND_MS } from '../platform/duration.ts'
import type { StreamRecord } from './stream-record.ts'

export class LambdaEventError extends MillraceError {
  constructor(what: string) {
    super(`The invocation is not a batch of Kinesis records: ${what}`, {
      code: 'lambda-event-invalid',
      next: 'Invoke this function by an event source mapping of a Kinesis stream, without tumbling windows.',
    })
  }
}

/** Stands where nobody knows the epoch of a stream: no record of the archive has it, nor any object's name. */
export const UNKNOWN_EPOCH = 'unknown'

export interface LambdaRecordsOptions {
  readonly streamEpoch: number | typeof UNKNOWN_EPOCH
}

/** In the order given, which is the order of the shard. Throws LambdaEventError. */
export function lambdaRecords(event: unknown, options: LambdaRecordsOptions): StreamRecord[] {
  const records = member(event, 'Records')
  if (!Array.isArray(records)) throw new LambdaEventError('Records is not a list')
  return records.map(record => lambdaRecord(record, options.streamEpoch))
}

function lambdaRecord(record: unknown, streamEpoch: LambdaRecordsOptions['streamEpoch']): StreamRecord {
  const kinesis = member(record, 'kinesis')
  const arrivalSeconds = member(kinesis, 'approximateArrivalTimestamp')
  if (typeof arrivalSeconds !== 'number' || !Number.isFinite(arrivalSeconds)) {
    throw new LambdaEventError('approximateArrivalTimestamp is not a number')
  }
  return {
    stream: `${streamName(text(record, 'eventSourceARN'))}@${streamEpoch}`,
    shard: shardOf(text(record, 'eventID')),
    sequence: sequenceOf(text(kinesis, 'sequenceNumber')),
    arrivalMs: Math.round(arrivalSeconds * SECOND_MS),
    partitionKey: text(kinesis, 'partitionKey'),
    dataBase64: text(kinesis, 'data'),
  }
}

/** Of a stream's ARN, and of a consumer's with enhanced fan-out: `…:stream/NAME` and `…:stream/NAME/consumer/CONSUMER:1700000000`. */
function streamName(arn: string): string {
  const name = /^arn:[^:]+:kinesis:[^:]*:[^:]*:stream\/([A-Za-z0-9_.-]+)(\/consumer\/.+)?$/.exec(arn)?.[1]
  if (name === undefined) throw new LambdaEventError('eventSourceARN is not the ARN of a stream')
  return name
}

/** The only place where Lambda says the shard: `shardId-000000000006:4959…8898`. */
function shardOf(eventId: string): string {
  const shard = /^([A-Za-z0-9_.-]+):\d+$/.exec(eventId)?.[1]
  if (shard === undefined) throw new LambdaEventError('eventID is not a shard and a sequence')
  return shard
}

function sequenceOf(sequence: string): string {
  if (!/^(0|[1-9]\d{0,55})$/.test(sequence)) throw new LambdaEventError('sequenceNumber is not a decimal number')
  return sequence
}

function text(value: unknown, key: string): string {
  const found = member(value, key)
  if (typeof found !== 'string') throw new LambdaEventError(`${key} is not text`)
  return found
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined
}
