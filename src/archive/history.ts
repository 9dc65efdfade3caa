// History as its readers see it: every archived record once, and every imported event, wherever they lie (raw object, compacted
// hour, import). It is a view taken at one moment: all reads of one run stand on the same batches and the same positions.
import type { BatchInput } from '../catalog/items.ts'
import type { StreamRecord } from '../event/stream-record.ts'

export type HistoryRecord =
  | { readonly kind: 'stream'; readonly record: StreamRecord }
  /** An event that never was in the stream: upstream's own JSON, and the batch that brought it. */
  | { readonly kind: 'import'; readonly batchId: string; readonly payload: Uint8Array }

export interface History {
  /** Batches that this view stands on: compacted hours and imports. */
  readonly inputs: readonly BatchInput[]
  /** By `stream@epoch/shard` (`markKey`): the end of the shard's gap-free prefix. Up to here everything is in this view. */
  readonly positions: ReadonlyMap<string, string>
  /** Batch IDs of the imports in force, in code point order. */
  readonly imports: readonly string[]
  /**
   * Records keyed by a user of the bucket (`userBucket` of the partition key), in no order, each (stream, shard, sequence) once;
   * and imported events of those users. An imported line that could not be decoded when it came is in every bucket: decode it
   * and see. Throws ObjectStoreError, CatalogError, ArchiveError.
   */
  bucket(bucket: number, options?: HistoryOptions): AsyncIterable<HistoryRecord>
  /** Removes what was spooled to local files. */
  close(): Promise<void>
}

export interface HistoryOptions {
  /** Only records with these partition keys; imported events are not filtered, the reader decodes them anyway. */
  readonly userIds?: ReadonlySet<string>
}
