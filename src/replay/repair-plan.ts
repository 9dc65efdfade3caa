// What a repair makes of one item, decided on data alone. A corrupt item is planned as the item that it would be if nothing were known
// but what its checksums still vouch for; where not even its marks are known, it may have folded everything that was in the stream
// when it was read, and so all of that counts. Of a shard that is gone from the stream, the archive has all that there is.
import { markKey, pruneMarks } from '../affected/decide.ts'
import { type DedupState, EMPTY_DEDUP, type Mark } from '../affected/dedup-state.ts'
import { compareSequences } from '../event/stream-record.ts'
import { stateProblem } from '../features/state.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { readItem } from '../recompute/item-content.ts'
import type { NextItem } from '../recompute/plan-user.ts'
import { encodeItem, isUnreadable, readBody } from '../store/item-codec.ts'
import { type Salvage, salvageItem } from '../store/salvage-item.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from '../store/user-item.ts'
import type { HeldUser } from './backfill-holding.ts'
import { eachOnce, recordKey } from './counted-events.ts'
import type { OpenLetter } from './open-letters.ts'
import type { IsGone } from './gone-shards.ts'
import {
  BEFORE_ALL_MS,
  isReached,
  type Needs,
  type PlanContext,
  planRebuild,
  type RebuildPlan,
} from './rebuild-plan.ts'

export interface RepairContext {
  readonly compiled: CompiledPipeline
  /** Up to here the held events are all that there are. */
  readonly positions: ReadonlyMap<string, string>
  /** The end of each shard, by `stream@epoch/shard`, after the item was read; undefined: nobody has looked yet. */
  readonly through: ReadonlyMap<string, string> | undefined
  /** Shards that bring nothing more; undefined: nobody has looked yet. */
  readonly isGone: IsGone | undefined
  /** Whether what only an item has that is not damaged may be given up. */
  readonly isLossAccepted: boolean
  /** See PlanContext. */
  readonly closedSince: PlanContext['closedSince']
  readonly nowMs: number
}

export interface RepairedUser {
  readonly outcome: 'repaired'
  readonly user: HeldUser
  /** What is there and is replaced. */
  readonly corrupt: StoredItem | CorruptItem
  readonly problem: string
  /** Attributes that this code does not know, and nothing else, are the item's that was. */
  readonly before: StoredItem
  readonly next: NextItem
  readonly imports: readonly string[]
  /** See RebuildPlan. */
  readonly lost: readonly string[]
  readonly closed: readonly OpenLetter[]
}

export type RepairPlan =
  | RepairedUser
  /** The item is sound: these are the plans of a rebuild. */
  | Exclude<RebuildPlan, { readonly outcome: 'corrupt' }>
  | { readonly outcome: 'no-item'; readonly user: HeldUser }
  /** How far the stream is has to be looked up. */
  | { readonly outcome: 'tip-unknown'; readonly user: HeldUser; readonly problem: string }
  /** Whether the stream still has the shards that the archive is behind in has to be looked up. */
  | { readonly outcome: 'shards-unknown'; readonly user: HeldUser; readonly problem: string }
  /** Newer code wrote it. */
  | { readonly outcome: 'newer'; readonly user: HeldUser; readonly problem: string }
  /** The archive has nothing of the user that counts: an empty item would destroy what there is. */
  | { readonly outcome: 'no-history'; readonly user: HeldUser; readonly problem: string }

/** Parked because of the item, or because it had let go of what it needed to judge them: a rebuild counts them. */
const INCLUDED_REASONS: ReadonlySet<string> = new Set(['item-corrupt', 'late'])

/**
 * Where a version that cannot be read goes on: no writer that read the item before may find its own version there again, so beyond
 * whatever an item reaches by counting, which is once a write; and as an instant in ms it is beyond an earlier repair's, too.
 */
const UNREADABLE_VERSION_LEAST = 1_000_000_000

export function isIncluded({ reason }: Pick<OpenLetter, 'reason'>): boolean {
  return INCLUDED_REASONS.has(reason)
}

/** What is wrong with an item, all of it read; undefined: nothing. */
export function itemProblem(
  { features }: Pick<CompiledPipeline, 'features'>,
  stored: StoredItem | CorruptItem,
): string | undefined {
  const read = readItem(features, stored)
  if (read.outcome === 'corrupt') return read.detail
  if (isCorrupt(stored)) return stored.corrupt
  for (const name of ['ft', 'pr'] as const) {
    const body = readBody(stored, name)
    if (isUnreadable(body)) return body.reason
  }
  return undefined
}

export function planRepair(
  user: HeldUser,
  stored: StoredItem | CorruptItem | undefined,
  context: RepairContext,
): RepairPlan {
  if (stored === undefined) return { outcome: 'no-item', user }
  const { compiled, positions, closedSince } = context
  const problem = itemProblem(compiled, stored)
  const rebuild = { compiled, positions, includedReason: undefined, isIncluded, closedSince }
  const salvage = problem === undefined ? undefined : salvageItem(stored)
  const standIn = salvage && problem !== undefined ? standInFor(user, salvage, { ...context, problem }) : undefined
  if (standIn !== undefined && 'outcome' in standIn) return standIn
  // Where the state is torn nobody has the events that the archive never got; else they are in it.
  const isGone = salvage?.state === undefined || context.isLossAccepted ? context.isGone : undefined
  const plan = planRebuild(user, standIn ?? stored, standIn === undefined ? rebuild : { ...rebuild, isGivenUp: isGone })
  // A stand-in is whole by construction, and a sound item was read above.
  if (plan.outcome === 'corrupt') throw new Error(`A sound item is not read: ${plan.detail}`)
  if (standIn === undefined || problem === undefined) return plan
  if (plan.outcome === 'waiting')
    return context.isGone === undefined ? { outcome: 'shards-unknown', user, problem } : plan
  if (plan.outcome === 'unchanged' || plan.next.at === BEFORE_ALL_MS) return { outcome: 'no-history', user, problem }
  const { next, imports, lost, closed } = plan
  return { outcome: 'repaired', user, corrupt: stored, problem, before: standIn, next, imports, lost, closed }
}

type StandIn = StoredItem | Extract<RepairPlan, { readonly outcome: 'newer' | 'tip-unknown' | 'waiting' }>

function standInFor(user: HeldUser, salvage: Salvage, context: RepairContext & { readonly problem: string }): StandIn {
  const { compiled, positions, through, nowMs, problem } = context
  const { version, state, newerLayout } = salvage
  if (newerLayout !== undefined) return { outcome: 'newer', user, problem }
  if (salvage.dedup === undefined) {
    if (through === undefined) return { outcome: 'tip-unknown', user, problem }
    const needs: Needs = [...through]
    if (!isReached(needs, positions)) return { outcome: 'waiting', user, needs }
  }
  const isStateOfUse = state !== undefined && stateProblem(compiled.features, state) === undefined
  return encodeItem({
    userId: user.userId,
    v: version ?? beyondUnreadable(salvage, nowMs) - 1,
    at: BEFORE_ALL_MS,
    asOf: 0,
    definitions: '',
    models: {},
    imports: [],
    dedup: salvage.dedup ?? everythingThrough(user, context),
    // For entries of features that only other code knows.
    state: JSON.stringify(isStateOfUse ? state : {}),
    features: '{}',
    predictions: '{}',
    other: salvage.other,
  })
}

function beyondUnreadable({ attributes }: Salvage, nowMs: number): number {
  const next = Math.max(UNREADABLE_VERSION_LEAST, nowMs)
  const { v } = attributes as { readonly v?: { readonly N?: unknown } }
  return v?.N === String(next) ? next + 1 : next
}

/** Marks at the last of the user's records in each shard, as if each event had been folded when it came first. */
function everythingThrough(
  user: HeldUser,
  { through, closedSince }: Pick<RepairContext, 'through' | 'closedSince'>,
): DedupState {
  const open = user.letters.filter(letter => closedSince?.has(recordKey(letter)) !== true)
  const aside = new Set(open.filter(letter => !isIncluded(letter)).map(recordKey))
  const marks = new Map<string, Mark>()
  const inStream = user.events.filter(({ record, isAhead }) => {
    if (record === undefined || isAhead === true || aside.has(recordKey(record))) return false
    const end = through?.get(markKey(record))
    return end !== undefined && compareSequences(record.sequence, end) <= 0
  })
  for (const { record } of eachOnce(inStream)) {
    if (record === undefined) continue
    const mark = marks.get(markKey(record))
    if (mark !== undefined && compareSequences(record.sequence, mark.sequence) <= 0) continue
    marks.set(markKey(record), { sequence: record.sequence, arrivalMs: record.arrivalMs })
  }
  return { ...EMPTY_DEDUP, ...pruneMarks(marks, undefined) }
}
