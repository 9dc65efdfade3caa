// The user's item: removed at first whatever it is, and again where a write raced it. One that is there later is of another life, or it came
// back with what the stream delivered again: the ids of its events tell, held against what the archive has of the user.
import { HOUR_MS } from '../platform/duration.ts'
import { decodeItem, isUnreadable } from '../store/item-codec.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from '../store/user-item.ts'
import { MillraceError } from '../platform/errors.ts'
import type { ForgetPorts } from './ports.ts'

const ROUNDS_MAX = 20
/** The archive has news once a minute; within it an event may be in an item and not in the archive yet. */
const ARCHIVED_WITHIN_MS = HOUR_MS

/** Whether there was one. Throws StoreError, MillraceError `user-contended`. */
export async function removeItem(
  { users, userRemover, stillAlone }: Pick<ForgetPorts, 'users' | 'userRemover' | 'stillAlone'>,
  userId: string,
): Promise<boolean> {
  let isFound = false
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const item = await users.load(userId)
    if (item === undefined) return isFound
    isFound = true
    await stillAlone()
    await userRemover.remove(item)
  }
  throw new MillraceError('The user is written again as often as the item is removed', {
    code: 'user-contended',
    retriable: true,
    next: 'Stop the events of this user, or run it again.',
  })
}

export type ItemState =
  /** There is none. */
  | 'none'
  /** It has nothing but events that arrived after the instant. */
  | 'new-life'
  /** So young that the archive may not have its events. */
  | 'unsettled'
  /** Nothing that arrived later is known: it came back. */
  | 'came-back'
  /** It has, or may have, events of both lives. */
  | 'mixed'

export function itemState(
  item: StoredItem | CorruptItem | undefined,
  { newLifeIds, goneMs, nowMs }: { newLifeIds: ReadonlySet<string>; goneMs: number; nowMs: number },
): ItemState {
  if (item === undefined) return 'none'
  const ids = isCorrupt(item) ? undefined : idsOf(item)
  if (ids !== undefined && ids.every(id => newLifeIds.has(id))) return 'new-life'
  if (nowMs - goneMs < ARCHIVED_WITHIN_MS) return 'unsettled'
  return newLifeIds.size === 0 ? 'came-back' : 'mixed'
}

/** Undefined: it has had more events than it remembers, or cannot be read. */
function idsOf(item: StoredItem): readonly string[] | undefined {
  const decoded = decodeItem(item)
  if (isUnreadable(decoded)) return undefined
  const types = [...decoded.dedup.types.values()]
  if (types.some(({ floor }) => floor !== undefined)) return undefined
  return types.flatMap(({ ids }) => ids.map(({ idHash }) => idHash))
}
