// What an item remembers of the events it has folded: enough to say of any record whether its event was folded before.

/** An event inside one user and type, ordered by (ts, idHash). */
export interface RecentId {
  readonly ts: number
  /** 16 hex digits. */
  readonly idHash: string
}

export interface TypeDedup {
  /** The newest folded events, ascending. Above the floor the set is complete. */
  readonly ids: readonly RecentId[]
  /** The highest event ever evicted. */
  readonly floor: RecentId | undefined
}

/** How far one shard has been folded for this user. */
export interface Mark {
  /** Highest sequence folded, decimal, up to 56 digits. */
  readonly sequence: string
  /** Arrival of that record, ms: what `settledMs` becomes when the mark is pruned. */
  readonly arrivalMs: number
}

export interface DedupState {
  readonly types: ReadonlyMap<string, TypeDedup>
  /** By `stream@epoch/shard`. */
  readonly marks: ReadonlyMap<string, Mark>
  /** Arrival instant before which everything archived counts; set when a mark is pruned. */
  readonly settledMs: number | undefined
}

export const EMPTY_DEDUP: DedupState = { types: new Map(), marks: new Map(), settledMs: undefined }

export function compareRecentIds(a: RecentId, b: RecentId): number {
  return a.ts - b.ts || (a.idHash < b.idHash ? -1 : a.idHash > b.idHash ? 1 : 0)
}
