// A stored item evaluated at an instant: what GET does after `freshUntil`, and the snapshot for everybody. Nothing is written.
import { evaluateFeatures } from '../features/evaluate.ts'
import type { UserState } from '../features/state.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { EvaluatedUser } from '../predictions/evaluated-user.ts'
import { type Predictor, predictOne } from '../predictions/predictor.ts'
import { decodeItem, isUnreadable } from '../store/item-codec.ts'
import { CorruptItemError } from '../store/errors.ts'
import type { StoredItem } from '../store/user-item.ts'
import type { FeaturesBody } from '../features/features-body.ts'

/** The features at max(instant, the item's `at`). Throws CorruptItemError. */
export function featuresAt(compiled: CompiledPipeline, item: StoredItem, instantMs: number): FeaturesBody {
  const decoded = decodeItem(item)
  if (isUnreadable(decoded)) throw new CorruptItemError(decoded.reason)
  return evaluateFeatures(compiled.features, decoded.state as UserState, item.at, instantMs)
}

/** Throws CorruptItemError. */
export async function evaluateItem(
  item: StoredItem,
  instantMs: number,
  { compiled, predictor }: { readonly compiled: CompiledPipeline; readonly predictor: Predictor },
): Promise<EvaluatedUser> {
  const features = featuresAt(compiled, item, instantMs)
  return { features, ...(await predictOne(predictor, features)) }
}
