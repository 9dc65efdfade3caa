// One user's repair carried out: what is there is kept, what takes its place is put under the condition that nothing has come between,
// and where something has, what is there now is looked at.
import type { Clock } from '../platform/clock.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { type PinnedPredictor, predictOne } from '../predictions/predictor.ts'
import { CONFLICT_ATTEMPTS_MAX } from '../recompute/limits.ts'
import { packItem } from '../recompute/pack-item.ts'
import { DRY_SPILLS, type SpillStore } from '../store/spill-store.ts'
import type { UserStore } from '../store/user-item.ts'
import type { OpenLetter } from './open-letters.ts'
import { keepCorrupt } from './repair-keep.ts'
import { itemProblem, planRepair, type RepairContext, type RepairedUser, type RepairPlan } from './repair-plan.ts'

export interface RepairWriteDependencies {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly predictor: PinnedPredictor
  readonly spills?: SpillStore | undefined
  readonly archive: ObjectStore
  readonly clock: Clock
  /** Who is written down beside what was there. */
  readonly who: string
  readonly isDryRun: boolean
}

export type RepairOutcome =
  /** The item could not be read and was replaced. */
  | 'repaired'
  /** The item was sound, and not what the archive gives. */
  | 'rebuilt'
  | 'unchanged'
  /** The archive does not have what the item may have folded, or another writer was first every time. */
  | 'waiting'
  /** Another corrupt item than the one that was read. */
  | 'changed'
  | 'item-too-big'
  | 'too-many-events'
  | 'no-item'
  | 'no-history'
  | 'newer'

export interface RepairResult {
  readonly userId: string
  readonly outcome: RepairOutcome
  /** What was wrong with the item. */
  readonly problem?: string
  /** Why it was left, or what of it was. */
  readonly detail?: string
  /** Of the item that was put; of a dry run that would be. */
  readonly version?: number
  /** Where what was there is kept, in the archive bucket. */
  readonly kept?: string
  /** Letters whose records count now. */
  readonly closed: readonly OpenLetter[]
}

/** Throws StoreError, ObjectStoreError. */
export async function carryOut(
  first: RepairPlan,
  deps: RepairWriteDependencies,
  context: RepairContext,
): Promise<RepairResult> {
  let plan = first
  for (let attempt = 1; ; attempt++) {
    if (plan.outcome !== 'repaired' && plan.outcome !== 'rebuilt') return leftAlone(plan)
    const { user, before, next, imports, closed } = plan
    const { userId } = user
    const { definitions, pipeline } = deps.compiled
    const content = { userId, before, next, definitions, imports, itemBytesMax: pipeline.itemBytesMax }
    const spills = deps.isDryRun ? DRY_SPILLS : deps.spills
    const packed = await packItem(content, await predictOne(deps.predictor, next.features), spills)
    const wrong = plan.outcome === 'repaired' ? { problem: plan.problem } : {}
    if ('reason' in packed) return { userId, outcome: 'item-too-big', ...wrong, detail: packed.detail, closed: [] }
    const { item } = packed
    const done = { userId, outcome: plan.outcome, ...wrong, ...withLost(plan), version: item.v, closed }
    if (deps.isDryRun) return done
    const kept = plan.outcome === 'repaired' ? { kept: await keep(plan, item.v, deps) } : {}
    await packed.writeSpills()
    const put = await deps.users.put(item, plan.outcome === 'repaired' ? plan.corrupt : before?.v)
    await packed.keepSpills()
    if (put.outcome === 'written') return { ...done, ...kept }
    const { current } = put
    // How far the stream was is known from after the first item was read, not from after this one.
    if (current === undefined || itemProblem(deps.compiled, current) !== undefined)
      return { userId, outcome: 'changed', closed: [] }
    if (attempt >= CONFLICT_ATTEMPTS_MAX) return { userId, outcome: 'waiting', closed: [] }
    plan = planRepair(user, current, context)
  }
}

function keep(
  { corrupt, problem }: Extract<RepairPlan, { readonly outcome: 'repaired' }>,
  version: number,
  { archive, who, clock }: RepairWriteDependencies,
): Promise<string> {
  return keepCorrupt(archive, { corrupt, problem, who, atMs: clock(), version })
}

function withLost({ lost }: Pick<RepairedUser, 'lost'>): { readonly detail?: string } {
  if (lost.length === 0) return {}
  return {
    detail: `the archive lacks the last events of ${[...new Set(lost)].join(', ')}, which the stream has no longer`,
  }
}

function leftAlone(plan: Exclude<RepairPlan, { readonly outcome: 'repaired' | 'rebuilt' }>): RepairResult {
  const { userId } = plan.user
  if (plan.outcome === 'unchanged') return { userId, outcome: 'unchanged', closed: plan.closed }
  if (plan.outcome === 'waiting' || plan.outcome === 'no-item') return { userId, outcome: plan.outcome, closed: [] }
  if (plan.outcome === 'tip-unknown' || plan.outcome === 'shards-unknown')
    return { userId, outcome: 'waiting', problem: plan.problem, closed: [] }
  return { userId, outcome: plan.outcome, problem: plan.problem, closed: [] }
}
