// Some users given predictions of one batch. Nothing is folded: state, ids, floor and marks are those that were read, and
// what is evaluated of them is put under the condition that the item is still that one. Where an event was first, its writer has
// predicted too, and only where it did so with another batch is the user tried again.
import type { Clock } from '../platform/clock.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import { evaluateFeatures } from '../features/evaluate.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { predictionRuns } from '../predictions/prediction-runs.ts'
import { type PinnedPredictor, type PredictedUser, predictOne } from '../predictions/predictor.ts'
import { readItem } from '../recompute/item-content.ts'
import { CONFLICT_ATTEMPTS_MAX, WRITES_IN_FLIGHT_MAX } from '../recompute/limits.ts'
import { packItem } from '../recompute/pack-item.ts'
import type { NextItem } from '../recompute/plan-user.ts'
import type { SpillStore } from '../store/spill-store.ts'
import { type CorruptItem, isCorrupt, type StoredItem, type UserStore } from '../store/user-item.ts'
import { noCounts, type RescoreCounts } from './rescore-counts.ts'

export interface RescoreTarget {
  readonly model: string
  readonly batchId: string
}

export interface UsersDependencies {
  readonly compiled: CompiledPipeline
  readonly users: Pick<UserStore, 'put'>
  /** By the target's batch, and of the other models by those in production. */
  readonly predictor: PinnedPredictor
  readonly spills?: SpillStore | undefined
  readonly target: RescoreTarget
  readonly clock: Clock
  /** Awaited before each write. */
  readonly pace: () => Promise<void>
  /** It is counted who would be written, and no model is asked. */
  readonly isDryRun: boolean
}

type Item = StoredItem | CorruptItem

interface Planned {
  readonly outcome: 'planned'
  readonly before: StoredItem
  readonly next: NextItem
}

type Settled = 'rescored' | 'already' | 'conflicts' | 'left' | 'corrupt' | 'refused'

/** One model run, unless predictions are large, and one write a user. Throws StoreError, ObjectStoreError. */
export async function rescoreUsers(items: readonly Item[], deps: UsersDependencies): Promise<RescoreCounts> {
  const counts = noCounts()
  const planned: Planned[] = []
  for (const item of items) {
    counts.users++
    const plan = planRescore(item, deps)
    if (plan.outcome === 'planned') planned.push(plan)
    else counts[plan.outcome]++
  }
  if (deps.isDryRun) {
    counts.rescored += planned.length
    return counts
  }
  for (const run of predictionRuns(planned, deps.predictor)) {
    const predicted = await deps.predictor.predict(run.map(({ next }) => next.features))
    await mapWithLimit(run, WRITES_IN_FLIGHT_MAX, async (plan, index) => {
      const written = await write(plan, predicted[index], deps)
      counts[written.outcome]++
      if (written.outcome === 'rescored' && !written.isAnswered) counts.noAnswer++
    })
  }
  return counts
}

function planRescore(
  item: Item,
  { compiled, target, clock }: UsersDependencies,
): Planned | { readonly outcome: 'already' | 'corrupt' } {
  if (!isCorrupt(item) && hasBatch(item, target)) return { outcome: 'already' }
  const read = readItem(compiled.features, item)
  if (read.outcome !== 'read') return { outcome: 'corrupt' }
  const { at, dedup, state, version } = read.content
  // As of now and not of the newest event: most results stored then have expired, and would be evaluated at each read.
  const features = evaluateFeatures(compiled.features, state, at, clock())
  // Entries that this code does not know are no older for it, as no event passed them by.
  return { outcome: 'planned', before: read.stored, next: { version: version + 1, at, dedup, state, features } }
}

interface Written {
  readonly outcome: Settled
  readonly isAnswered?: boolean
}

async function write(first: Planned, predicted: PredictedUser | undefined, deps: UsersDependencies): Promise<Written> {
  let plan = first
  let prediction = predicted ?? (await predictOne(deps.predictor, plan.next.features))
  for (let attempt = 1; ; attempt++) {
    const packed = await pack(plan, prediction, deps)
    if ('reason' in packed) return { outcome: 'refused' }
    const { item } = packed
    await deps.pace()
    await packed.writeSpills()
    const put = await deps.users.put(item, plan.before.v)
    await packed.keepSpills()
    const isAnswered = prediction.predictions.models[deps.target.model]?.status === 'ok'
    // A put of ours whose answer was lost meets itself.
    if (put.outcome === 'written' || isSame(item, put.current)) return { outcome: 'rescored', isAnswered }
    if (put.current === undefined) return { outcome: 'conflicts' }
    const again = planRescore(put.current, deps)
    if (again.outcome !== 'planned') return { outcome: again.outcome === 'already' ? 'conflicts' : again.outcome }
    if (attempt >= CONFLICT_ATTEMPTS_MAX) return { outcome: 'left' }
    plan = again
    prediction = await predictOne(deps.predictor, again.next.features)
  }
}

function pack({ before, next }: Planned, prediction: PredictedUser, { compiled, target, spills }: UsersDependencies) {
  const made = prediction.models[target.model]
  if (made !== target.batchId) throw new Error(`Predicted with ${made}, and ${target.batchId} was to be`)
  const { definitions, pipeline } = compiled
  const content = { userId: before.userId, before, next, definitions, itemBytesMax: pipeline.itemBytesMax }
  return packItem(content, prediction, spills)
}

/** An item whose predictions are of the batch, whoever made them. */
export function hasBatch({ models }: StoredItem, { model, batchId }: RescoreTarget): boolean {
  return Object.hasOwn(models, model) && models[model] === batchId
}

function isSame(item: StoredItem, current: Item | undefined): boolean {
  if (current === undefined || isCorrupt(current) || current.v !== item.v) return false
  return Buffer.compare(item.sum, current.sum) === 0 && Buffer.compare(item.pr, current.pr) === 0
}
