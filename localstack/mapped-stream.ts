// The ports of an event source mapping: a stream to read, a function to invoke, a place for checkpoints. Kinesis and Lambda in
// the local cloud, memory in tests and in the simulation.
import type { StartingPosition } from './deployment-plan.ts'
import type { InvokeOutcome } from './invoke-outcome.ts'
import type { StreamedRecord } from './mapped-record.ts'

export interface MappedStream {
  listShards(): Promise<readonly string[]>
  /** What is put after this has resolved will be read, also where the start is LATEST. */
  openShard(shard: string, start: ShardStart): Promise<ShardReader>
}

export type ShardStart = StartingPosition | { readonly type: 'AFTER_SEQUENCE'; readonly sequence: string }

export interface ShardReader {
  /** The next records in order, at most so many; none where there are none yet. */
  read(recordsMax: number): Promise<ShardRead>
}

export interface ShardRead {
  readonly records: readonly StreamedRecord[]
  /** The shard was split or merged and everything in it has been read. */
  readonly isClosed: boolean
}

/** The last sequence of each shard that needs no delivery any more. */
export interface Checkpoints {
  load(shard: string): Promise<string | undefined>
  save(shard: string, sequence: string): Promise<void>
}

export type InvokeFunction = (event: string) => Promise<InvokeOutcome>
