// The user item as the store port carries it: blobs stay compressed, so that serve can pass them through untouched.

/** One item of the `users` table. Times are ms integers, UTC. */
export interface StoredItem {
  readonly userId: string
  /** Version; 1 for the first write. Every write asserts the one it read. */
  readonly v: number
  /** Newest event time folded. */
  readonly at: number
  /** Instant of the stored result. */
  readonly asOf: number
  /** Until when (exclusive) the stored result is exact; absent: until the next event. */
  readonly fresh?: number
  /** Model name → batch ID that `pr` was made with. */
  readonly models: Readonly<Record<string, string>>
  /** Batch IDs of imported history that this state contains. */
  readonly imports: readonly string[]
  /** Recent ids, floor, marks, settled: packed, see dedup-codec. */
  readonly dedup: Uint8Array
  /** State, zlib JSON. */
  readonly st: Uint8Array
  /** Features, zlib JSON. */
  readonly ft: Uint8Array
  /** Predictions, zlib JSON. */
  readonly pr: Uint8Array
  /** Length, plain length and CRC-32 of each of the four above, see checksums. */
  readonly sum: Uint8Array
  /** Attributes this code does not know, in the store's own form, carried through every write. */
  readonly other: Readonly<Record<string, unknown>>
}

export type PutOutcome =
  | { readonly outcome: 'written' }
  /** The condition failed: what is there now, or undefined where the item is gone. */
  | { readonly outcome: 'conflict'; readonly current: StoredItem | undefined }

/** Storage of user items. Implementations: dynamodb-user-store, and the in-memory fake of the tests; one contract suite. */
export interface UserStore {
  /** Strongly consistent; at most KEYS_PER_READ_MAX ids; absent users are absent from the map. Throws StoreError. */
  loadMany(userIds: readonly string[]): Promise<ReadonlyMap<string, StoredItem | CorruptItem>>
  /** Strongly consistent. */
  load(userId: string): Promise<StoredItem | CorruptItem | undefined>
  /** One conditional put: `expectedVersion` undefined asserts that there is no item. Throws StoreError. */
  put(item: StoredItem, expectedVersion: number | undefined): Promise<PutOutcome>
  /** Pages of one of `segments` parallel scans, eventually consistent. */
  scan(segment: number, segments: number): AsyncIterable<readonly (StoredItem | CorruptItem)[]>
}

/** An item whose attributes are not of the layout's types: reported, never overwritten. */
export interface CorruptItem {
  readonly userId: string
  readonly corrupt: string
}

export function isCorrupt(item: StoredItem | CorruptItem): item is CorruptItem {
  return 'corrupt' in item
}

/** BatchGetItem takes at most 100 keys a call (Amazon DynamoDB API reference). */
export const KEYS_PER_READ_MAX = 100
