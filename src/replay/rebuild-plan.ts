// What a rebuild makes of one stored item, decided on data alone: wait for the archive, leave it, or put another one; and which
// letters are then closed.
import { hasUnknownEpoch } from '../archive/given-up-epoch.ts'
import { shardKey } from '../archive/object-name.ts'
import { checkArrival } from '../event/arrival.ts'
import { compareSequences } from '../event/stream-record.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { readItem } from '../recompute/item-content.ts'
import type { ItemBefore, NextItem } from '../recompute/plan-user.ts'
import type { CorruptItem, StoredItem } from '../store/user-item.ts'
import type { HeldUser } from './backfill-holding.ts'
import { type HistoryEvent, judgedAt, recordKey } from './counted-events.ts'
import type { IsGone } from './gone-shards.ts'
import type { OpenLetter } from './open-letters.ts'
import { rebuildUser } from './rebuild-user.ts'

export interface PlanContext {
  readonly compiled: CompiledPipeline
  /** Up to here the held events are all that there are. */
  readonly positions: ReadonlyMap<string, string>
  /** Letters of this reason are counted from now on. */
  readonly includedReason: string | undefined
  /** Letters of this choice, instead of a reason. */
  readonly isIncluded?: ((letter: OpenLetter) => boolean) | undefined
  /** Included letters are judged by this instant, ms, and not by their arrival. */
  readonly acceptedMs?: number | undefined
  /** Letters that were closed since they were read, by `recordKey`, and the instant by which each was accepted, if it was. */
  readonly closedSince?: ReadonlyMap<string, number | undefined> | undefined
  /** Events of these shards that only the item has are given up; undefined: of none. */
  readonly isGivenUp?: IsGone | undefined
}

/** Before every event: what is rebuilt differs from it. */
export const BEFORE_ALL_MS = -1

/** Sequences by `stream@epoch/shard` that history must reach before the user can be rebuilt. */
export type Needs = readonly (readonly [string, string])[]

export type RebuildPlan =
  | {
      readonly outcome: 'rebuilt'
      readonly user: HeldUser
      readonly before: StoredItem | undefined
      readonly next: NextItem
      readonly imports: readonly string[]
      /** Shards by `stream@epoch/shard`, of which events were given up. */
      readonly lost: readonly string[]
      /** Letters whose records are then counted. */
      readonly closed: readonly OpenLetter[]
      /** `recordKey` of open letters that are not counted: wrong, should somebody close one before this is written. */
      readonly leftOut: readonly string[]
    }
  | {
      readonly outcome: 'unchanged'
      readonly user: HeldUser
      /** Of the item; 0: there is none. */
      readonly version: number
      readonly closed: readonly OpenLetter[]
    }
  | { readonly outcome: 'waiting'; readonly user: HeldUser; readonly needs: Needs }
  | { readonly outcome: 'corrupt'; readonly user: HeldUser; readonly detail: string }

export function planRebuild(
  user: HeldUser,
  stored: StoredItem | CorruptItem | undefined,
  context: PlanContext,
): RebuildPlan {
  const { compiled, positions, includedReason, isIncluded = ({ reason }) => reason === includedReason } = context
  const read = readItem(compiled.features, stored)
  if (read.outcome === 'corrupt') return { outcome: 'corrupt', user, detail: read.detail }
  const { closedSince } = context
  const letters = user.letters.filter(letter => closedSince?.has(recordKey(letter)) !== true)
  const wanted = letters.filter(isIncluded)
  const { needs, lost } = splitNeeds(needsOf(read.content, wanted), context)
  if (!isReached(needs, positions)) return { outcome: 'waiting', user, needs }
  const content = lost.length === 0 ? read.content : withoutLost(read.content, positions)
  const aside = recordsAside({ ...user, letters }, new Set(wanted), context)
  const rebuilt = rebuildUser(
    compiled,
    { content, imports: read.stored?.imports ?? [] },
    { events: user.events, ...aside },
  )
  // Nothing would be left of the user.
  if (rebuilt.outcome === 'rebuilt' && rebuilt.next.at === BEFORE_ALL_MS && read.content?.at !== BEFORE_ALL_MS)
    return { outcome: 'waiting', user, needs: lost }
  const closed = [...aside.closed]
  return rebuilt.outcome === 'unchanged'
    ? { outcome: 'unchanged', user, version: read.content?.version ?? 0, closed }
    : {
        ...rebuilt,
        user,
        before: read.stored,
        lost: lost.map(([key]) => key),
        closed,
        leftOut: [...aside.openLetters].filter(key => !aside.included.has(key)),
      }
}

export function isReached(needs: Needs, positions: ReadonlyMap<string, string>): boolean {
  return needs.every(([key, sequence]) => {
    const position = positions.get(key)
    return position !== undefined && compareSequences(sequence, position) <= 0
  })
}

/** An item that says to have come only as far as the archive has: what it had beyond is given up, its newest time too. */
function withoutLost(content: ItemBefore | undefined, positions: ReadonlyMap<string, string>): ItemBefore | undefined {
  if (content === undefined) return undefined
  const { marks } = content.dedup
  const kept = [...marks].flatMap(([key, mark]) => {
    const sequence = positions.get(key)
    if (sequence === undefined) return []
    return [[key, compareSequences(mark.sequence, sequence) <= 0 ? mark : { ...mark, sequence }] as const]
  })
  return { ...content, at: BEFORE_ALL_MS, dedup: { ...content.dedup, marks: new Map(kept) } }
}

function splitNeeds(
  all: Needs,
  { positions, isGivenUp }: Pick<PlanContext, 'positions' | 'isGivenUp'>,
): { readonly needs: Needs; readonly lost: Needs } {
  const lost = all.filter(need => isGivenUp?.(need[0]) === true && !isReached([need], positions))
  return { needs: all.filter(need => !lost.includes(need)), lost }
}

/** What no object of the archive has is in no history, and not waited for. */
function needsOf(content: ItemBefore | undefined, wanted: readonly OpenLetter[]): Needs {
  const marks = [...(content?.dedup.marks ?? [])].map(([key, { sequence }]) => [key, sequence] as const)
  const letters = wanted.filter(letter => !hasUnknownEpoch(letter))
  return [...marks, ...letters.map(letter => [shardKey(letter), letter.sequence] as const)]
}

interface RecordsAside {
  /** By `recordKey`. */
  readonly openLetters: ReadonlySet<string>
  readonly included: ReadonlySet<string>
  readonly closed: ReadonlySet<OpenLetter>
}

/** Of the events that today's definitions accept. */
function recordsAside(
  { events, letters, accepted }: HeldUser,
  wanted: ReadonlySet<OpenLetter>,
  { acceptedMs, closedSince }: Pick<PlanContext, 'acceptedMs' | 'closedSince'>,
): RecordsAside {
  // Of one record the first: what was recorded first is what became of it.
  const byKey = new Map(letters.toReversed().map(letter => [recordKey(letter), letter]))
  const [openLetters, included, closed] = [new Set<string>(), new Set<string>(), new Set<OpenLetter>()]
  for (const held of events) {
    if (held.record === undefined) continue
    const key = recordKey(held.record)
    const letter = byKey.get(key)
    // Ahead of its arrival, it has a letter, or will have one.
    if (letter === undefined && isTaken(held, accepted?.get(key) ?? closedSince?.get(key))) continue
    openLetters.add(key)
    if (letter === undefined || !wanted.has(letter) || !isTaken(held, acceptedMs)) continue
    included.add(key)
    closed.add(held.isAhead === true ? { ...letter, acceptedMs } : letter)
  }
  return { openLetters, included, closed }
}

function isTaken({ event, record, isAhead }: HistoryEvent, acceptedMs: number | undefined): boolean {
  if (isAhead !== true || record === undefined) return true
  return acceptedMs !== undefined && checkArrival(event, judgedAt(record, acceptedMs)) === undefined
}
