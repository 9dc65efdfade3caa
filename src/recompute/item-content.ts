// Between the stored item and the plan: what a fold reads of an item, and the item that a plan becomes.
import type { Refusal } from '../event/decoded-event.ts'
import type { FeaturesPlan } from '../features/plan.ts'
import { stateJson, stateProblem, type UserState } from '../features/state.ts'
import type { PredictedUser } from '../predictions/predictor.ts'
import { spilledOf } from '../predictions/spill.ts'
import { StoreError } from '../store/errors.ts'
import { decodeItem, encodeItem, isUnreadable } from '../store/item-codec.ts'
import { itemTooBig } from '../store/item-size.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from '../store/user-item.ts'
import type { ItemBefore, WaitingItem } from './plan-user.ts'

export type ReadItem =
  | { readonly outcome: 'absent'; readonly stored: undefined; readonly content: undefined }
  | { readonly outcome: 'read'; readonly stored: StoredItem; readonly content: ItemBefore }
  | { readonly outcome: 'corrupt'; readonly detail: string }

export function readItem(plan: FeaturesPlan, stored: StoredItem | CorruptItem | undefined): ReadItem {
  if (stored === undefined) return { outcome: 'absent', stored, content: undefined }
  if (isCorrupt(stored)) return { outcome: 'corrupt', detail: stored.corrupt }
  const decoded = decodeItem(stored)
  if (isUnreadable(decoded)) return { outcome: 'corrupt', detail: decoded.reason }
  const problem = stateProblem(plan, decoded.state)
  if (problem !== undefined) return { outcome: 'corrupt', detail: problem }
  const content = { version: stored.v, at: stored.at, dedup: decoded.dedup, state: decoded.state as UserState }
  return { outcome: 'read', stored, content }
}

export interface NextContent {
  readonly userId: string
  /** The item that was read: what this code does not know of it is carried through. */
  readonly before: StoredItem | undefined
  readonly next: WaitingItem
  /** `CompiledPipeline.definitions` that `next` was made by. */
  readonly definitions: string
  /** Batches of imported history; those of the item before unless given. */
  readonly imports?: readonly string[]
  /** The pipeline's `itemBytesMax`; ITEM_BYTES_MAX unless given. */
  readonly itemBytesMax?: number
}

/** The item to put, or why it cannot be. */
export function encodeNext(content: NextContent, predicted: PredictedUser): StoredItem | Refusal {
  const item = packNext(content, predicted)
  if ('reason' in item) return item
  const tooBig = itemTooBig(item, content.itemBytesMax)
  return tooBig === undefined ? item : refuseSize(`${tooBig.bytes} bytes, ${tooBig.bytesMax} are allowed`)
}

function packNext(
  { userId, before, next, definitions, imports }: NextContent,
  predicted: PredictedUser,
): StoredItem | Refusal {
  try {
    return encodeItem({
      userId,
      v: next.version,
      at: next.at,
      asOf: next.features.asOf,
      fresh: next.features.freshUntil,
      definitions,
      models: predicted.models,
      spills: spilledOf(predicted.predictions).length,
      imports: imports ?? before?.imports ?? [],
      dedup: next.dedup,
      state: stateJson(next.state),
      features: JSON.stringify(next.features),
      predictions: JSON.stringify(predicted.predictions),
      other: before?.other ?? {},
    })
  } catch (error) {
    if (error instanceof StoreError && error.code === 'item-too-big') return refuseSize('a blob over the limit')
    throw error
  }
}

function refuseSize(what: string): Refusal {
  return { reason: 'item-too-big', detail: `The user's item would have ${what}; define fewer or shorter windows.` }
}
