// The ports of an event source mapping: a stream to read, a function to invoke, a place for checkpoints and one for what is given
// up. Kinesis, Lambda and S3 in the local cloud, memory in tests and in the simulation.
import type { StartingPosition } from './deployment-plan.ts'
import type { InvokeOutcome } from './invoke-outcome.ts'
import type { StreamedRecord } from './mapped-record.ts'

export interface MappedShard {
  readonly shard: string
  /** The shard that it was split from, or the two that it was merged of; they may have left the stream since. */
  readonly parents: readonly string[]
}

export interface MappedStream {
  /** All shards, closed ones as well, until everything in them has expired. */
  listShards(): Promise<readonly MappedShard[]>
  /** What is put after this has resolved will be read, also where the start is LATEST. */
  openShard(shard: string, start: ShardStart): Promise<ShardReader>
}

export type ShardStart = StartingPosition | { readonly type: 'AFTER_SEQUENCE'; readonly sequence: string }

export interface ShardReader {
  /** The next records in order, at most so many; none where there are none yet. One call at a time. */
  read(recordsMax: number): Promise<ShardRead>
}

export interface ShardRead {
  readonly records: readonly StreamedRecord[]
  /** The shard was split or merged and everything in it has been read. */
  readonly isClosed: boolean
}

/** Where a shard goes on after a restart. `SHARD_END`: it is closed, and nothing in it needs delivery any more. */
export type Checkpoint = ShardStart | { readonly type: 'SHARD_END' }

export interface Checkpoints {
  /** Undefined for a shard that was never seen. */
  load(shard: string): Promise<Checkpoint | undefined>
  save(shard: string, checkpoint: Checkpoint): Promise<void>
}

export type InvokeFunction = (event: string) => Promise<InvokeOutcome>

/** A batch that was given up, as Lambda writes it to S3. */
export interface GivenUpObject {
  readonly key: string
  readonly body: string
}
