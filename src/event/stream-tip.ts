// The port for how far a stream is, beyond what somebody has of it (Kinesis in production, memory in tests).

/** Sequences by shard id. */
export type ShardSequences = ReadonlyMap<string, string>

export interface StreamTip {
  readonly streamName: string
  /** Ids of all shards that the stream has, open or closed: of none whose records have all expired. Throws EventStreamError. */
  shards(): Promise<readonly string[]>
  /**
   * The last record of each shard at this moment, of those that have one beyond `after`. Whatever was put before the call is at or
   * before it. Shards whose records have all expired are not there any more. Throws EventStreamError.
   */
  read(after: ShardSequences): Promise<ShardSequences>
}
