// A stored user as of now: the definitions of stream and snapshot on the item's state, and one run of the models.
import { evaluateFeatures } from '../features/evaluate.ts'
import type { UserState } from '../features/state.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { EvaluatedUser } from '../predictions/evaluated-user.ts'
import { type Predictor, predictOne } from '../predictions/predictor.ts'
import { CorruptItemError } from '../store/errors.ts'
import { decodeItem, isUnreadable } from '../store/item-codec.ts'
import type { StoredItem } from '../store/user-item.ts'

/** At the later of `nowMs` and the newest event folded. Throws CorruptItemError. */
export async function evaluateUser(
  item: StoredItem,
  nowMs: number,
  { compiled, predictor }: { readonly compiled: Pick<CompiledPipeline, 'features'>; readonly predictor: Predictor },
): Promise<EvaluatedUser> {
  const decoded = decodeItem(item)
  if (isUnreadable(decoded)) throw new CorruptItemError(decoded.reason)
  // The checksums vouch that this is what the fold wrote.
  const features = evaluateFeatures(compiled.features, decoded.state as UserState, item.at, nowMs)
  return { features, ...(await predictOne(predictor, features)) }
}
