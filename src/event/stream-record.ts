// One record as a consumer of the stream sees it, whatever carried it: Lambda's event, a raw archive object, a test.

export interface StreamRecord {
  /** Stream name + '@' + STREAM_EPOCH: marks of a stream that was re-created must not meet those of the one before. */
  readonly stream: string
  /** `shardId-000000000000` */
  readonly shard: string
  /** Up to 56 decimal digits; compared with `compareSequences`, never as a number. */
  readonly sequence: string
  /** ApproximateArrivalTimestamp, ms. */
  readonly arrivalMs: number
  readonly partitionKey: string
  /** The payload, base64 as Lambda hands it over: decoded once, by `decodeRecord`, which never throws. */
  readonly dataBase64: string
}

/** Sequences are decimal without leading zeros: the longer one is the greater one. */
export function compareSequences(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}
