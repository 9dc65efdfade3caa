// The item of a plan with what has to be written before it: values too long for an item are objects that it names. Every writer of
// items goes this way.
import type { Refusal } from '../event/decoded-event.ts'
import type { PredictionsBody } from '../predictions/evaluated-user.ts'
import type { PredictedUser } from '../predictions/predictor.ts'
import {
  INLINE_PREDICTION_BYTES_MAX,
  INLINE_WHERE_TIGHT_BYTES_MAX,
  isAnyLonger,
  type PlannedSpill,
  planSpills,
  spilledOf,
} from '../predictions/spill.ts'
import { isUnreadable, readBody } from '../store/item-codec.ts'
import type { SpillStore } from '../store/spill-store.ts'
import type { StoredItem } from '../store/user-item.ts'
import { encodeNext, type NextContent } from './item-content.ts'

export interface PackedItem {
  readonly item: StoredItem
  /** Before the item: one that is never put leaves objects that nobody names, and nothing is named that is not there. */
  readonly writeSpills: () => Promise<void>
  /**
   * After the item: a sweep may have found an old object in nobody's item, and taken it away between the two. Where all objects were
   * new, which is nearly always, there is nothing to do.
   */
  readonly keepSpills: () => Promise<void>
}

/** Without a store for them all values stay in the item. Throws ObjectStoreError, StoreError. */
export async function packItem(
  content: NextContent,
  predicted: PredictedUser,
  spills: SpillStore | undefined,
): Promise<PackedItem | Refusal> {
  const packed = await packWithin(INLINE_PREDICTION_BYTES_MAX, content, { predicted, spills })
  const isLast = spills === undefined || !isAnyLonger(predicted, INLINE_WHERE_TIGHT_BYTES_MAX)
  if (!('reason' in packed) || isLast) return packed
  // What a model says is the last reason to refuse what the user did.
  return packWithin(INLINE_WHERE_TIGHT_BYTES_MAX, content, { predicted, spills })
}

interface Values {
  readonly predicted: PredictedUser
  readonly spills: SpillStore | undefined
}

async function packWithin(
  inlineBytesMax: number,
  content: NextContent,
  { predicted, spills }: Values,
): Promise<PackedItem | Refusal> {
  if (spills === undefined || !isAnyLonger(predicted, inlineBytesMax)) {
    const item = encodeNext(content, predicted)
    return 'reason' in item ? item : { item, writeSpills: nothing, keepSpills: nothing }
  }
  const plan = planSpills(content.userId, predicted, { key: await spills.key(), inlineBytesMax })
  const item = encodeNext(content, plan.predicted)
  if ('reason' in item) return item
  let old: readonly PlannedSpill[] = []
  return {
    item,
    writeSpills: async () => {
      old = await writeNew(plan.spills, content.before, spills)
    },
    keepSpills: async () => {
      await Promise.all(old.map(spill => spills.write(spill)))
    },
  }
}

const nothing = async (): Promise<void> => undefined

/** What the item before names is there. Those that had been written before, and left since. */
async function writeNew(
  planned: readonly PlannedSpill[],
  before: StoredItem | undefined,
  spills: SpillStore,
): Promise<readonly PlannedSpill[]> {
  const there = namedBy(before)
  const wanted = planned.filter(({ spilled }) => !there.has(spilled.key))
  const outcomes = await Promise.all(wanted.map(spill => spills.write(spill)))
  return wanted.filter((_, index) => outcomes[index] === 'exists')
}

function namedBy(item: StoredItem | undefined): ReadonlySet<string> {
  if (item?.spills === undefined) return new Set()
  const read = readBody(item, 'pr')
  if (isUnreadable(read)) return new Set()
  return new Set(spilledOf(read.body as unknown as PredictionsBody).map(({ key }) => key))
}
