// One record of a stream as an event source mapping hands it to a function, serialized once: its size decides how many go into
// a batch, and the same text then goes into the event.
export interface MappedRecord {
  readonly sequence: string
  readonly arrivalMs: number
  /** The member of `Records`, as JSON. */
  readonly json: string
  readonly jsonBytes: number
  /** It needs no delivery any more; the shard's progress sets it. */
  isSettled: boolean
}

/** A record as the stream has it. */
export interface StreamedRecord {
  readonly sequence: string
  readonly partitionKey: string
  readonly dataBase64: string
  readonly arrivalMs: number
}

export interface RecordSource {
  readonly streamArn: string
  readonly shard: string
  readonly roleArn: string
  readonly region: string
}

const MS_PER_SECOND = 1000

export function mapRecord(record: StreamedRecord, source: RecordSource): MappedRecord {
  const json = JSON.stringify({
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: record.partitionKey,
      sequenceNumber: record.sequence,
      data: record.dataBase64,
      approximateArrivalTimestamp: record.arrivalMs / MS_PER_SECOND,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${source.shard}:${record.sequence}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: source.roleArn,
    awsRegion: source.region,
    eventSourceARN: source.streamArn,
  })
  return {
    sequence: record.sequence,
    arrivalMs: record.arrivalMs,
    json,
    jsonBytes: Buffer.byteLength(json),
    isSettled: false,
  }
}

const EVENT_START = '{"Records":['
const EVENT_END = ']}'
/** What an event has besides its records, each of which brings one comma. */
export const EVENT_ENVELOPE_BYTES = EVENT_START.length + EVENT_END.length
export const RECORD_SEPARATOR_BYTES = 1

export function eventOf(records: readonly MappedRecord[]): string {
  return `${EVENT_START}${records.map(({ json }) => json).join(',')}${EVENT_END}`
}
