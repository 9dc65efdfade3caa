// Rebuilt users written: each item is read, strongly consistent, rebuilt where history covers its marks, and put under the condition
// that it is still that item. Where the stream was first, the user is rebuilt from what is there now, or waits for the archive.
import { compareSequences } from '../event/stream-record.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { type PinnedPredictor, predictOne } from '../predictions/predictor.ts'
import { encodeNext, readItem } from '../recompute/item-content.ts'
import { CONFLICT_ATTEMPTS_MAX, WRITES_IN_FLIGHT_MAX } from '../recompute/limits.ts'
import type { NextItem } from '../recompute/plan-user.ts'
import type { CorruptItem, StoredItem, UserStore } from '../store/user-item.ts'
import { shardKey } from '../archive/object-name.ts'
import type { HeldUser } from './backfill-holding.ts'
import { recordKey } from './counted-events.ts'
import type { OpenLetter } from './open-letters.ts'
import { rebuildUser } from './rebuild-user.ts'

export interface WriteDependencies {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly predictor: PinnedPredictor
  /** Of the history that the held events are from. */
  readonly positions: () => ReadonlyMap<string, string>
  /** Awaited before each write. */
  readonly pace: () => Promise<void>
  /** Letters of this reason are counted from now on. */
  readonly includedReason: string | undefined
}

/** Sequences by `stream@epoch/shard` that history must reach before the user can be rebuilt. */
export type Needs = readonly (readonly [string, string])[]

export type WrittenUser =
  | {
      readonly outcome: 'written'
      readonly user: HeldUser
      readonly isFirst: boolean
      readonly closed: readonly OpenLetter[]
    }
  | { readonly outcome: 'unchanged'; readonly user: HeldUser; readonly closed: readonly OpenLetter[] }
  | { readonly outcome: 'waiting'; readonly user: HeldUser; readonly needs: Needs }
  | { readonly outcome: 'corrupt' | 'too-big'; readonly user: HeldUser; readonly detail: string }

export function isReached(needs: Needs, positions: ReadonlyMap<string, string>): boolean {
  return needs.every(([key, sequence]) => {
    const position = positions.get(key)
    return position !== undefined && compareSequences(sequence, position) <= 0
  })
}

/** At most KEYS_PER_READ_MAX users: one read, one model run, one write a user. Throws StoreError. */
export async function writeChunk(users: readonly HeldUser[], deps: WriteDependencies): Promise<readonly WrittenUser[]> {
  const items = await deps.users.loadMany(users.map(({ userId }) => userId))
  const plans = users.map(user => planRebuild(user, items.get(user.userId), deps))
  const rebuilt = plans.filter(plan => plan.outcome === 'rebuilt')
  const predicted = await deps.predictor.predict(rebuilt.map(({ next }) => next.features))
  const predictions = new Map(rebuilt.map((plan, index) => [plan, predicted[index]]))
  return mapWithLimit(plans, WRITES_IN_FLIGHT_MAX, async first => {
    let plan = first
    for (let attempt = 1; plan.outcome === 'rebuilt'; attempt++) {
      const { user, before, next, imports, closed } = plan
      const prediction = predictions.get(plan) ?? (await predictOne(deps.predictor, next.features))
      const { definitions } = deps.compiled
      const item = encodeNext({ userId: user.userId, before, next, definitions, imports }, prediction)
      if ('reason' in item) return { outcome: 'too-big', user, detail: item.detail }
      await deps.pace()
      const put = await deps.users.put(item, before?.v)
      if (put.outcome === 'written') return { outcome: 'written', user, isFirst: before === undefined, closed }
      // A hot user: it is tried again when the archive has caught up with what was just folded.
      if (attempt >= CONFLICT_ATTEMPTS_MAX) return { outcome: 'waiting', user, needs: [] }
      plan = planRebuild(user, put.current, deps)
    }
    return plan
  })
}

interface PlannedRebuild {
  readonly outcome: 'rebuilt'
  readonly user: HeldUser
  readonly before: StoredItem | undefined
  readonly next: NextItem
  readonly imports: readonly string[]
  readonly closed: readonly OpenLetter[]
}

function planRebuild(
  user: HeldUser,
  stored: StoredItem | CorruptItem | undefined,
  { compiled, positions, includedReason }: WriteDependencies,
): PlannedRebuild | Exclude<WrittenUser, { readonly outcome: 'written' }> {
  const read = readItem(compiled.features, stored)
  if (read.outcome === 'corrupt') return { outcome: 'corrupt', user, detail: read.detail }
  const wanted = user.letters.filter(({ reason }) => reason === includedReason)
  const marks = [...(read.content?.dedup.marks ?? [])].map(([key, { sequence }]) => [key, sequence] as const)
  const needs = [...marks, ...wanted.map(letter => [shardKey(letter), letter.sequence] as const)]
  if (!isReached(needs, positions())) return { outcome: 'waiting', user, needs }
  const accepted = new Set(user.events.flatMap(({ record }) => (record === undefined ? [] : [recordKey(record)])))
  const closed = wanted.filter(letter => accepted.has(recordKey(letter)))
  const rebuilt = rebuildUser(
    compiled,
    { content: read.content, imports: read.stored?.imports ?? [] },
    {
      events: user.events,
      openLetters: new Set(user.letters.map(recordKey)),
      included: new Set(closed.map(recordKey)),
    },
  )
  if (rebuilt.outcome === 'unchanged') return { outcome: 'unchanged', user, closed }
  return { ...rebuilt, user, before: read.stored, closed }
}
