// One user's write: plan on the item that was read, put under the condition that it is still that item, and where another
// writer was first, look at what is there and plan again. A put that was applied but not answered is recognised as ours.
import type { AffectedRecord } from '../affected/affected-users.ts'
import type { Decision } from '../affected/decide.ts'
import type { Refusal } from '../event/decoded-event.ts'
import { fullJitterMs } from '../platform/retry.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { type PredictedUser, predictOne } from '../predictions/predictor.ts'
import type { CorruptItem, StoredItem } from '../store/user-item.ts'
import { DeadlineError } from '../platform/deadline.ts'
import { ConflictError } from './errors.ts'
import { encodeNext, readItem } from './item-content.ts'
import { ANSWER_RESERVE_MS, CONFLICT_ATTEMPTS_MAX, CONFLICT_BASE_MS, CONFLICT_CAP_MS } from './limits.ts'
import { type NextItem, planUser } from './plan-user.ts'
import type { RecomputeDependencies } from './recompute-batch.ts'

export interface AffectedUser {
  readonly userId: string
  readonly records: readonly AffectedRecord[]
}

export interface PlannedUser {
  readonly outcome: 'planned'
  readonly user: AffectedUser
  readonly decisions: readonly Decision[]
  readonly before: StoredItem | undefined
  readonly next: NextItem
}

export type SettledUser =
  | { readonly outcome: 'written' | 'unchanged'; readonly decisions: readonly Decision[] }
  /** Nothing of the item can be told. */
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
  /** What would have been folded cannot be; the other records are as decided. */
  | { readonly outcome: 'not-folded'; readonly refusal: Refusal; readonly decisions: readonly Decision[] }

export function planItem(
  compiled: CompiledPipeline,
  user: AffectedUser,
  stored: StoredItem | CorruptItem | undefined,
): PlannedUser | SettledUser {
  const read = readItem(compiled.features, stored)
  if (read.outcome === 'corrupt') {
    return { outcome: 'refused', refusal: { reason: 'item-corrupt', detail: read.detail } }
  }
  const { decisions, next } = planUser(compiled, read.content, user.records)
  if (next === undefined) return { outcome: 'unchanged', decisions }
  return { outcome: 'planned', user, decisions, before: read.stored, next }
}

/** Throws StoreError, ConflictError, DeadlineError: the user's records are then delivered again. */
export async function writeUser(
  first: PlannedUser,
  firstPrediction: PredictedUser,
  deps: RecomputeDependencies,
): Promise<SettledUser> {
  let plan = first
  let predicted = firstPrediction
  for (let attempt = 1; ; attempt++) {
    refuseWithoutTime(deps)
    const { before, next } = plan
    const { definitions, pipeline } = deps.compiled
    const { itemBytesMax } = pipeline
    const item = encodeNext({ userId: first.user.userId, before, next, definitions, itemBytesMax }, predicted)
    if ('reason' in item) {
      return { outcome: 'not-folded', refusal: item, decisions: settledDecisions(first, plan.decisions) }
    }
    const put = await deps.users.put(item, before?.v)
    if (put.outcome === 'written') return { outcome: 'written', decisions: settledDecisions(first, plan.decisions) }
    if (attempt >= CONFLICT_ATTEMPTS_MAX) throw new ConflictError(attempt)
    const again = planItem(deps.compiled, first.user, put.current)
    if (again.outcome === 'refused') return again
    if (again.outcome !== 'planned') {
      return { outcome: 'written', decisions: settledDecisions(first, again.decisions) }
    }
    plan = again
    predicted = await predictOne(deps.predictor, again.next.features)
    await deps.sleep(fullJitterMs(attempt, { baseMs: CONFLICT_BASE_MS, capMs: CONFLICT_CAP_MS, random: deps.random }))
  }
}

/** What we meant to fold and now find folded was folded by our own put, or by a twin of this very batch. */
function settledDecisions(first: PlannedUser, now: readonly Decision[]): readonly Decision[] {
  return now.map((decision, index) =>
    decision === 'duplicate' && first.decisions[index] === 'fold' ? 'fold' : decision,
  )
}

export function refuseWithoutTime(deps: Pick<RecomputeDependencies, 'remainingMs'>): void {
  if (deps.remainingMs() < ANSWER_RESERVE_MS) throw new DeadlineError()
}
