// What a rebuild makes of one stored item, decided on data alone: wait for the archive, leave it, or put another one; and which
// letters are then closed.
import { shardKey } from '../archive/object-name.ts'
import { compareSequences } from '../event/stream-record.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { readItem } from '../recompute/item-content.ts'
import type { ItemBefore, NextItem } from '../recompute/plan-user.ts'
import type { CorruptItem, StoredItem } from '../store/user-item.ts'
import type { HeldUser } from './backfill-holding.ts'
import { recordKey } from './counted-events.ts'
import { GIVEN_UP, letterOf, type OpenLetter } from './open-letters.ts'
import { rebuildUser } from './rebuild-user.ts'

export interface PlanContext {
  readonly compiled: CompiledPipeline
  /** Up to here the held events are all that there are. */
  readonly positions: ReadonlyMap<string, string>
  /** Letters of this reason are counted from now on. */
  readonly includedReason: string | undefined
}

/** Sequences by `stream@epoch/shard` that history must reach before the user can be rebuilt. */
export type Needs = readonly (readonly [string, string])[]

export type RebuildPlan =
  | {
      readonly outcome: 'rebuilt'
      readonly user: HeldUser
      readonly before: StoredItem | undefined
      readonly next: NextItem
      readonly imports: readonly string[]
      /** Letters whose records are then counted. */
      readonly closed: readonly OpenLetter[]
    }
  | { readonly outcome: 'unchanged'; readonly user: HeldUser; readonly closed: readonly OpenLetter[] }
  | { readonly outcome: 'waiting'; readonly user: HeldUser; readonly needs: Needs }
  | { readonly outcome: 'corrupt'; readonly user: HeldUser; readonly detail: string }

export function planRebuild(
  user: HeldUser,
  stored: StoredItem | CorruptItem | undefined,
  { compiled, positions, includedReason }: PlanContext,
): RebuildPlan {
  const read = readItem(compiled.features, stored)
  if (read.outcome === 'corrupt') return { outcome: 'corrupt', user, detail: read.detail }
  const wanted = user.letters.filter(({ reason }) => reason === includedReason)
  const needs = needsOf(read.content, wanted)
  if (!isReached(needs, positions)) return { outcome: 'waiting', user, needs }
  const aside = recordsAside(user, read.content, new Set(wanted))
  const rebuilt = rebuildUser(
    compiled,
    { content: read.content, imports: read.stored?.imports ?? [] },
    { events: user.events, ...aside },
  )
  const closed = [...aside.closed]
  return rebuilt.outcome === 'unchanged'
    ? { outcome: 'unchanged', user, closed }
    : { ...rebuilt, user, before: read.stored, closed }
}

export function isReached(needs: Needs, positions: ReadonlyMap<string, string>): boolean {
  return needs.every(([key, sequence]) => {
    const position = positions.get(key)
    return position !== undefined && compareSequences(sequence, position) <= 0
  })
}

/** What was given up has no epoch to look for; the archive, which never gives up, had it long before. */
function needsOf(content: ItemBefore | undefined, wanted: readonly OpenLetter[]): Needs {
  const marks = [...(content?.dedup.marks ?? [])].map(([key, { sequence }]) => [key, sequence] as const)
  const letters = wanted.filter(({ reason }) => reason !== GIVEN_UP)
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
  { events, letters }: HeldUser,
  content: ItemBefore | undefined,
  wanted: ReadonlySet<OpenLetter>,
): RecordsAside {
  // Of one record the first: what was recorded first is what became of it.
  const byKey = new Map(letters.toReversed().map(letter => [recordKey(letter), letter]))
  const known = new Set(
    [...(content?.dedup.types.values() ?? [])].flatMap(({ ids }) => ids.map(({ idHash }) => idHash)),
  )
  const [openLetters, included, closed] = [new Set<string>(), new Set<string>(), new Set<OpenLetter>()]
  for (const { event, record } of events) {
    const letter = record === undefined ? undefined : letterOf(byKey, record)
    if (record === undefined || letter === undefined) continue
    if (wanted.has(letter)) {
      included.add(recordKey(record))
      closed.add(letter)
    }
    // Some users of a batch may have been written before Lambda gave it up, so the item is asked whether it knows the event.
    if (letter.reason !== GIVEN_UP || !known.has(event.idHash)) openLetters.add(recordKey(record))
  }
  return { openLetters, included, closed }
}
