// A stored user as of an instant: what GET answers after `freshUntil`, and the snapshot for everybody. Nothing is written.
import { evaluateFeatures } from '../features/evaluate.ts'
import { stateProblem, type UserState } from '../features/state.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { EvaluatedUser } from '../predictions/evaluated-user.ts'
import type { FeaturesBody } from '../features/features-body.ts'
import { type Predictor, predictOne } from '../predictions/predictor.ts'
import { CorruptItemError } from '../store/errors.ts'
import { decodeItem, isUnreadable } from '../store/item-codec.ts'
import type { StoredItem } from '../store/user-item.ts'

/** The features at the later of the instant and the newest event folded. Throws CorruptItemError. */
export function featuresAt(
  compiled: Pick<CompiledPipeline, 'features'>,
  item: StoredItem,
  instantMs: number,
): FeaturesBody {
  const decoded = decodeItem(item)
  if (isUnreadable(decoded)) throw new CorruptItemError(decoded.reason)
  const problem = stateProblem(compiled.features, decoded.state)
  if (problem !== undefined) throw new CorruptItemError(problem)
  return evaluateFeatures(compiled.features, decoded.state as UserState, item.at, instantMs)
}

/** Throws CorruptItemError. */
export async function evaluateUser(
  item: StoredItem,
  instantMs: number,
  { compiled, predictor }: { readonly compiled: Pick<CompiledPipeline, 'features'>; readonly predictor: Predictor },
): Promise<EvaluatedUser> {
  const features = featuresAt(compiled, item, instantMs)
  return { features, ...(await predictOne(predictor, features)) }
}
