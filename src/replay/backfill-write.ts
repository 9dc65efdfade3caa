// Rebuilt users written: each item is read, strongly consistent, and what it becomes is put under the condition that it is still that
// item. Where the stream was first, the user is planned again on what is there now, or waits for the archive.
import { mapWithLimit } from '../platform/concurrency.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { type PinnedPredictor, predictOne } from '../predictions/predictor.ts'
import { CONFLICT_ATTEMPTS_MAX, WRITES_IN_FLIGHT_MAX } from '../recompute/limits.ts'
import { packItem } from '../recompute/pack-item.ts'
import type { SpillStore } from '../store/spill-store.ts'
import type { UserStore } from '../store/user-item.ts'
import type { HeldUser } from './backfill-holding.ts'
import type { OpenLetter } from './open-letters.ts'
import { type PlanContext, planRebuild, type RebuildPlan } from './rebuild-plan.ts'

export interface WriteDependencies {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly predictor: PinnedPredictor
  readonly spills?: SpillStore | undefined
  /** Awaited before each write. */
  readonly pace: () => Promise<void>
}

export type WrittenUser =
  | {
      readonly outcome: 'written'
      readonly user: HeldUser
      readonly version: number
      readonly lost: readonly string[]
      readonly closed: readonly OpenLetter[]
      readonly leftOut: readonly string[]
    }
  | { readonly outcome: 'too-big'; readonly user: HeldUser; readonly detail: string }
  | Exclude<RebuildPlan, { readonly outcome: 'rebuilt' }>

/** At most KEYS_PER_READ_MAX users: one read, one model run, one write a user. Throws StoreError. */
export async function writeChunk(
  users: readonly HeldUser[],
  deps: WriteDependencies,
  context: PlanContext,
): Promise<readonly WrittenUser[]> {
  const items = await deps.users.loadMany(users.map(({ userId }) => userId))
  const plans = users.map(user => planRebuild(user, items.get(user.userId), context))
  const rebuilt = plans.filter(plan => plan.outcome === 'rebuilt')
  const forAll = await deps.predictor.predict(rebuilt.map(({ next }) => next.features))
  const predictions = new Map<RebuildPlan, (typeof forAll)[number] | undefined>(
    rebuilt.map((plan, index) => [plan, forAll[index]]),
  )
  return mapWithLimit(plans, WRITES_IN_FLIGHT_MAX, async first => {
    let plan = first
    for (let attempt = 1; plan.outcome === 'rebuilt'; attempt++) {
      const { user, before, next, imports, lost, closed, leftOut } = plan
      const { definitions, pipeline } = deps.compiled
      const content = { userId: user.userId, before, next, definitions, imports, itemBytesMax: pipeline.itemBytesMax }
      const predicted = predictions.get(plan) ?? (await predictOne(deps.predictor, next.features))
      const packed = await packItem(content, predicted, deps.spills)
      if ('reason' in packed) return { outcome: 'too-big', user, detail: packed.detail }
      const { item } = packed
      await deps.pace()
      await packed.writeSpills()
      const put = await deps.users.put(item, before?.v)
      await packed.keepSpills()
      if (put.outcome === 'written') return { outcome: 'written', user, version: item.v, lost, closed, leftOut }
      // Another writer every time: the user is tried again when the others are done.
      if (attempt >= CONFLICT_ATTEMPTS_MAX) return { outcome: 'waiting', user, needs: [] }
      plan = planRebuild(user, put.current, context)
    }
    return plan
  })
}
