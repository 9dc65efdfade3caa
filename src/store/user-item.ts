// The user item as the store port carries it: blobs stay compressed, so that serve can pass them through untouched.
import { invalidItem, StoreError } from './errors.ts'

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
  /** What `ft` and `pr` were made by: `CompiledPipeline.definitions` at the write. */
  readonly definitions: string
  /** Model name → batch ID that `pr` was made with. */
  readonly models: Readonly<Record<string, string>>
  /** How many values of `pr` are objects of their own; absent: none, and `pr` is what a GET answers. */
  readonly spills?: number
  /** Batch IDs of imported history that this state contains: a set, in code point order. */
  readonly imports: readonly string[]
  /** Recent ids, floor, marks, settled: packed, see dedup-codec. */
  readonly dedup: Uint8Array
  /** State, zlib JSON. */
  readonly st: Uint8Array
  /** Features, zlib JSON. */
  readonly ft: Uint8Array
  /** Predictions, zlib JSON. */
  readonly pr: Uint8Array
  /** Lengths and CRC-32 of the four above, as stored and as inflated, and CRC-32 of the rest, see checksums. */
  readonly sum: Uint8Array
  /** Attributes this code does not know, in the store's own form, carried through every write. */
  readonly other: Readonly<Record<string, unknown>>
}

export type PutOutcome =
  | { readonly outcome: 'written' }
  /** The condition failed, nothing was written: what is there now, or undefined where the item is gone. */
  | { readonly outcome: 'conflict'; readonly current: StoredItem | CorruptItem | undefined }

/** Storage of user items. Implementations: dynamodb-user-store, and the in-memory fake of the tests; one contract suite. */
export interface UserStore {
  /** Strongly consistent; at most KEYS_PER_READ_MAX ids; absent users are absent from the map. Throws StoreError. */
  loadMany(userIds: readonly string[]): Promise<ReadonlyMap<string, StoredItem | CorruptItem>>
  /** Strongly consistent. Throws StoreError. */
  load(userId: string): Promise<StoredItem | CorruptItem | undefined>
  /**
   * One conditional put. Throws StoreError; after a retriable one the item may or may not be written, and a conflict may be with
   * one's own earlier try: its events are then in `current`.
   */
  put(item: StoredItem, expected: Expected): Promise<PutOutcome>
  /**
   * Pages, none of them empty, of one of `segments` parallel scans; eventually consistent, unless asked for, at twice the price. It
   * goes on after a user that an earlier scan of this same segment has given, if one is named. Throws StoreError.
   */
  scan(
    segment: number,
    segments: number,
    after?: string,
    options?: ScanOptions,
  ): AsyncIterable<readonly (StoredItem | CorruptItem)[]>
}

export interface ScanOptions {
  /** Every item that was put before the scan came to it is in it. */
  readonly isConsistent?: boolean
}

/** An item whose attributes are not what was written: reported, and overwritten by nothing but a repair. */
export interface CorruptItem {
  readonly userId: string
  /** What is wrong with which attribute. */
  readonly corrupt: string
  /** All that is there, in the store's own form: what a repair keeps, and what its condition is. */
  readonly stored: Readonly<Record<string, unknown>>
}

/**
 * What a put asserts of the item that is there: its version, or that there is none. Of an item that is handed over as it was
 * read: that it is still that very one, as the version alone says nothing where it may be what is damaged.
 */
export type Expected = number | undefined | StoredItem | CorruptItem

export function isCorrupt(item: StoredItem | CorruptItem): item is CorruptItem {
  return 'corrupt' in item
}

/** BatchGetItem takes at most 100 keys a call (Amazon DynamoDB API reference). */
export const KEYS_PER_READ_MAX = 100

/** Of every implementation of loadMany. */
export function checkKeyCount(userIds: readonly string[]): void {
  if (userIds.length <= KEYS_PER_READ_MAX) return
  throw new StoreError(`${userIds.length} users in one read`, {
    code: 'too-many-keys',
    next: `Read at most ${KEYS_PER_READ_MAX} users at a time.`,
  })
}

/** Of every implementation of put: a version that does not follow from the one read would defeat the next writer's condition. */
export function checkNextVersion(item: StoredItem, expected: Expected): void {
  if (typeof expected === 'object' && item.userId !== expected.userId) throw invalidItem('the item is of another user')
  if (typeof expected === 'object' && isCorrupt(expected)) return
  const next = (typeof expected === 'object' ? expected.v : (expected ?? 0)) + 1
  if (item.v !== next) throw invalidItem(`v is ${item.v}, and ${next} follows the version that was read`)
}
