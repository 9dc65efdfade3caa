// One user's write: plan on the item that was read, put under the condition that it is still that item, and where another
// writer was first, wait, read and plan again. A put that was applied but not answered is recognised as ours.
import type { AffectedRecord } from '../affected/affected-users.ts'
import type { Decision } from '../affected/decide.ts'
import type { Refusal } from '../event/decoded-event.ts'
import { DeadlineError, refuseToWait } from '../platform/deadline.ts'
import { fullJitterMs } from '../platform/retry.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { type PredictedUser, predictOne } from '../predictions/predictor.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from '../store/user-item.ts'
import { ConflictError } from './errors.ts'
import { readItem } from './item-content.ts'
import { ANSWER_RESERVE_MS, CONFLICT_ATTEMPTS_MAX, CONFLICT_BASE_MS, CONFLICT_CAP_MS } from './limits.ts'
import { packItem } from './pack-item.ts'
import { type NextItem, planUser, type WaitingItem } from './plan-user.ts'
import type { RecomputeDependencies } from './recompute-batch.ts'

export interface WriteDependencies extends Omit<RecomputeDependencies, 'aside'> {
  /** Told of each put whose condition failed because of another writer. */
  readonly onConflict?: () => void
}

export interface AffectedUser {
  readonly userId: string
  readonly records: readonly AffectedRecord[]
}

export interface PlannedUser {
  readonly outcome: 'planned'
  readonly user: AffectedUser
  readonly decisions: readonly Decision[]
  readonly before: StoredItem | undefined
  readonly next: WaitingItem
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
): (PlannedUser & { readonly next: NextItem }) | SettledUser {
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
  deps: WriteDependencies,
): Promise<SettledUser> {
  const { definitions, pipeline } = deps.compiled
  const { userId } = first.user
  let plan = first
  let predicted = firstPrediction
  for (let attempt = 1; ; attempt++) {
    refuseWithoutTime(deps)
    const { before, next, decisions } = plan
    const content = { userId, before, next, definitions, itemBytesMax: pipeline.itemBytesMax }
    const packed = await packItem(content, predicted, deps.spills)
    // Decided as they are: what is found folded by now is not among what cannot be.
    if ('reason' in packed) return { outcome: 'not-folded', refusal: packed, decisions }
    const { item } = packed
    await packed.writeSpills()
    const put = await deps.users.put(item, before?.v)
    await packed.keepSpills()
    const isOurs = put.outcome === 'written' || isSameItem(item, put.current)
    if (isOurs) return { outcome: 'written', decisions: settledDecisions(first, decisions) }
    deps.onConflict?.()
    const found = planItem(deps.compiled, first.user, put.current)
    if (found.outcome !== 'planned') return settledAsFound(first, found)
    if (attempt >= CONFLICT_ATTEMPTS_MAX) throw new ConflictError(attempt)
    await backOff(attempt, deps)
    // Read again after the wait: what was there before it is likely to be gone, and a lost put costs more than a read.
    const again = planItem(deps.compiled, first.user, await deps.users.load(userId))
    if (again.outcome !== 'planned') return settledAsFound(first, again)
    plan = again
    predicted = await predictOne(deps.predictor, again.next.features)
  }
}

/** Nothing is left to write. Where what we meant to fold is there, our own put or a twin of this very batch has written it. */
function settledAsFound(first: PlannedUser, found: SettledUser): SettledUser {
  if (found.outcome === 'refused') return found
  const decisions = settledDecisions(first, found.decisions)
  return { outcome: decisions.includes('fold') ? 'written' : 'unchanged', decisions }
}

/**
 * What is reported of each record, of what was decided on the item that was read first and on the one that is there now. What is
 * decided now holds, with two exceptions, in which the first item proves more than the present one can tell:
 *
 * - first `fold`, now `duplicate`: its id is in the set, put there by a put of ours whose answer was lost, or by a twin → `fold`
 * - first `duplicate` of what the item held, now `below-floor` or `late`: folded long ago, its id evicted since → `duplicate`.
 *   A duplicate of a record of this same batch proves nothing: it fares as that record does.
 *
 * First `fold`, now `below-floor`: our lost put may have folded and evicted it, or another writer has passed it by; marks cannot
 * tell, so it is in doubt and a rebuild tells. First `fold`, now `late`: above its shard's mark, so no put of ours has folded it.
 * First `below-floor` or `late`, now anything: what is there was rebuilt in between, and its word holds. Now `fold`: it is folded
 * in what is put, whatever was thought before.
 */
function settledDecisions({ user, decisions: before }: PlannedUser, now: readonly Decision[]): readonly Decision[] {
  // No other writer was there, as nearly always.
  if (now === before) return now
  const folded = new Set<string>()
  return now.map((decision, index) => {
    const event = user.records[index]?.event
    const key = event === undefined ? '' : `${event.type}\u0000${event.idHash}`
    if (before[index] === 'fold') folded.add(key)
    if (before[index] === 'fold' && decision === 'duplicate') return 'fold'
    const wasHeld = before[index] === 'duplicate' && !folded.has(key)
    return wasHeld && (decision === 'below-floor' || decision === 'late') ? 'duplicate' : decision
  })
}

/** Our own put, applied by a try whose answer was lost, and not found changed by the next try. */
function isSameItem(item: StoredItem, current: StoredItem | CorruptItem | undefined): boolean {
  if (current === undefined || isCorrupt(current) || current.v !== item.v) return false
  return (['dedup', 'st', 'ft', 'pr', 'sum'] as const).every(name => Buffer.compare(item[name], current[name]) === 0)
}

async function backOff(attempt: number, deps: WriteDependencies): Promise<void> {
  const { random, remainingMs, sleep } = deps
  const waitMs = fullJitterMs(attempt, { baseMs: CONFLICT_BASE_MS, capMs: CONFLICT_CAP_MS, random })
  refuseToWait(waitMs, () => remainingMs() - ANSWER_RESERVE_MS)
  await sleep(waitMs)
  refuseWithoutTime(deps)
}

export function refuseWithoutTime(deps: Pick<RecomputeDependencies, 'remainingMs'>): void {
  if (deps.remainingMs() < ANSWER_RESERVE_MS) throw new DeadlineError()
}
