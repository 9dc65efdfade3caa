// What must hold at every single commit and read, whatever else is going on: versions go up by one, marks and floors never back, a
// function touches the users of its batch and nobody else, and what a GET answers was committed while it was asked.
import { compareRecentIds, type DedupState } from '../../src/affected/dedup-state.ts'
import { compareSequences } from '../../src/event/stream-record.ts'
import { type Attributes, fromAttributes } from '../../src/store/dynamodb-attributes.ts'
import { decodeItem, isUnreadable } from '../../src/store/item-codec.ts'
import { isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import type { Commit } from './simulated-dynamodb.ts'

/** A promise of the product is broken. */
export class Broken extends Error {}

export interface CommittedItem {
  readonly fromMs: number
  /** Until the next commit of the user. */
  untilMs: number
  readonly item: StoredItem
}

export function dedupOf(attributes: Attributes): DedupState | undefined {
  const item = fromAttributes(attributes)
  if (isCorrupt(item)) return undefined
  const decoded = decodeItem(item)
  return isUnreadable(decoded) ? undefined : decoded.dedup
}

/** Throws Broken. `isRebuilt`: floors of a user that is made anew come from its events and not from the item. */
export function checkCommit({ userId, before, after, by }: Commit, isRebuilt: boolean): void {
  const was = before === undefined ? 0 : Number(before['v']?.N)
  const is = Number(after['v']?.N)
  if (is !== was + 1 && !isRebuilt) throw new Broken(`${by.name} put version ${is} of ${userId} over ${was}`)
  const next = dedupOf(after)
  if (next === undefined) throw new Broken(`${by.name} put an item of ${userId} that cannot be read`)
  const previous = before === undefined ? undefined : dedupOf(before)
  if (previous === undefined) return
  for (const [shard, mark] of previous.marks) {
    const now = next.marks.get(shard)
    const isPruned = now === undefined && (next.settledMs ?? 0) > mark.arrivalMs
    if (!isPruned && (now === undefined || compareSequences(now.sequence, mark.sequence) < 0)) {
      throw new Broken(`${by.name} took the mark of ${userId} in ${shard} back from ${mark.sequence}`)
    }
  }
  for (const [type, { floor }] of previous.types) {
    const now = next.types.get(type)?.floor
    if (floor !== undefined && (now === undefined || compareRecentIds(now, floor) < 0)) {
      throw new Broken(`${by.name} took the floor of ${userId} and ${type} back from ${floor.ts}`)
    }
  }
}

/** Every version of every user, for who must know what was there when. */
export class CommittedItems {
  readonly #byUser = new Map<string, CommittedItem[]>()

  add(userId: string, attributes: Attributes, nowMs: number): void {
    const item = fromAttributes(attributes)
    if (isCorrupt(item)) return
    const versions = this.#byUser.get(userId) ?? []
    const last = versions.at(-1)
    if (last !== undefined) last.untilMs = nowMs
    versions.push({ fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY, item })
    this.#byUser.set(userId, versions)
  }

  /** Versions that were current at some moment of the span. */
  between(userId: string, fromMs: number, toMs: number): readonly StoredItem[] {
    const versions = this.#byUser.get(userId) ?? []
    return versions.filter(version => version.fromMs <= toMs && version.untilMs >= fromMs).map(({ item }) => item)
  }

  of(userId: string): readonly CommittedItem[] {
    return this.#byUser.get(userId) ?? []
  }
}
