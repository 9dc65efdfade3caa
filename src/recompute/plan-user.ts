// What a batch does to one user, decided on data alone: each record's outcome, and the item's next content where at least one
// record is folded. Nothing folded, nothing written.
import { type Decision, DedupLedger } from '../affected/decide.ts'
import { type DedupState, EMPTY_DEDUP } from '../affected/dedup-state.ts'
import type { DecodedEvent } from '../event/decoded-event.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import { evaluateFeatures } from '../features/evaluate.ts'
import type { FeaturesBody } from '../features/features-body.ts'
import { foldState, type UserState } from '../features/state.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'

/** The parts of an item that a fold reads. */
export interface ItemBefore {
  readonly version: number
  readonly at: number
  readonly dedup: DedupState
  /** Folded in place: decode the item again to plan again. */
  readonly state: UserState
}

/** `record` is absent for imported history, which came through no stream. */
export interface PlannedRecord {
  readonly event: DecodedEvent
  readonly record?: StreamRecord
}

export interface UserPlan {
  /** One for each record, in order. */
  readonly decisions: readonly Decision[]
  readonly next: NextItem | undefined
}

export interface NextItem {
  readonly version: number
  readonly at: number
  readonly dedup: DedupState
  readonly state: UserState
  /** Evaluated at `at`, so that the stored result follows from the events alone. */
  readonly features: FeaturesBody
}

/**
 * What of a plan waits for its predictions and for its turn to be written. What it remembers of events may be packed by then: it is a
 * tenth of the memory, and hundreds wait at once.
 */
export type WaitingItem = Omit<NextItem, 'dedup'> & { readonly dedup: DedupState | Uint8Array }

export function planUser(
  compiled: CompiledPipeline,
  before: ItemBefore | undefined,
  records: readonly PlannedRecord[],
  idsMax?: number,
): UserPlan {
  const ledger = new DedupLedger(before?.dedup ?? EMPTY_DEDUP)
  const decisions = records.map(({ event, record }) => ledger.decide(event, record))
  const events = records.filter((_, index) => decisions[index] === 'fold').map(({ event }) => event)
  if (events.length === 0) return { decisions, next: undefined }
  const { state, at } = foldState({
    plan: compiled.features,
    state: before?.state,
    previousAt: before?.at,
    previousVersion: before?.version,
    events,
  })
  return {
    decisions,
    next: {
      version: (before?.version ?? 0) + 1,
      at,
      dedup: ledger.close(compiled.latenessMs, idsMax),
      state,
      features: evaluateFeatures(compiled.features, state, at, at),
    },
  }
}
