// What became of the records of one batch. Every record ends in exactly one place: folded, duplicate, below-floor, dead letter,
// or failed and so delivered again.
import type { AffectedRecord, RefusedRecord } from '../affected/affected-users.ts'
import { type Decision, RECENT_IDS_MAX } from '../affected/decide.ts'
import type { DedupState } from '../affected/dedup-state.ts'
import type { Refusal, RefusalReason } from '../event/decoded-event.ts'
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import type { Prediction, PredictionsBody } from '../predictions/evaluated-user.ts'
import { type Pipeline, shadowNames } from '../predictions/pipeline.ts'

export interface OutcomeCounts {
  readonly folded: number
  readonly duplicate: number
  readonly belowFloor: number
  readonly failed: number
  readonly deadLetters: Readonly<Partial<Record<RefusalReason, number>>>
  /** The same letters by the owner of their event's contract. */
  readonly deadLettersOfOwner: Readonly<Record<string, number>>
  /** How the models fared with the users that were written. */
  readonly predictions: Readonly<Partial<Record<Prediction['status'], number>>>
  /** Puts whose condition failed because of another writer. */
  readonly conflicts: number
  readonly usersWritten: number
  readonly unknownFields: number
  /** Least span, ms, that a full set of recent ids still covers: how late an event of the hottest user may be. */
  readonly effectiveLatenessMs: number | undefined
}

const LATE: Refusal = {
  reason: 'late',
  detail: 'The event is older than all that the item remembers of its type; a rebuild from the archive includes it.',
}

/** Of letters whose type is not known, or whose contract names nobody. */
export const UNOWNED = 'unowned'

export class Tally {
  readonly #owners: ReadonlyMap<string, string | undefined>
  readonly refused: RefusedRecord[] = []
  readonly belowFloor: AffectedRecord[] = []
  readonly errors: unknown[] = []
  usersWritten = 0
  conflicts = 0
  /** Model → batch ID that the newest predictions were made with. */
  models: Readonly<Record<string, string>> = {}
  readonly #predictions: Partial<Record<Prediction['status'], number>> = {}
  #folded = 0
  #duplicate = 0
  #failed = 0
  #failedSequence: string | undefined
  #effectiveLatenessMs: number | undefined

  /** Event type → owner of its contract. */
  constructor(owners: ReadonlyMap<string, string | undefined>) {
    this.#owners = owners
  }

  /** The user's records are safely done: written, nothing to write, or refused where they would have been folded. */
  done(records: readonly AffectedRecord[], decisions: readonly Decision[], foldRefusal: Refusal | undefined): void {
    const unfolded = new Set<string>()
    for (const [index, affected] of records.entries()) {
      const decision = decisions[index]
      const { idHash } = affected.event
      if (decision === 'fold' && foldRefusal !== undefined) unfolded.add(idHash)
      // A repeat of what is not folded is a duplicate of nothing.
      if (foldRefusal !== undefined && unfolded.has(idHash)) this.refuse([affected], foldRefusal)
      else if (decision === 'fold') this.#folded++
      else if (decision === 'duplicate') this.#duplicate++
      else if (decision === 'below-floor') this.belowFloor.push(affected)
      else this.refuse([affected], LATE)
    }
  }

  refuse(records: readonly AffectedRecord[], refusal: Refusal): void {
    for (const { record, event } of records) this.refused.push({ record, refusal: { ...refusal, type: event.type } })
  }

  /** Not safely done: Lambda delivers again from the lowest of these. */
  fail(records: readonly { readonly record: StreamRecord }[], error: unknown): void {
    this.errors.push(error)
    this.#failed += records.length
    for (const { record } of records) {
      const isLower = this.#failedSequence === undefined || compareSequences(record.sequence, this.#failedSequence) < 0
      if (isLower) this.#failedSequence = record.sequence
    }
  }

  /** Where the set is full, its floor and not the contract's lateness decides what is late. */
  noteLateness({ types }: DedupState): void {
    for (const { ids, floor } of types.values()) {
      const newest = ids.at(-1)
      if (ids.length < RECENT_IDS_MAX || floor === undefined || newest === undefined) continue
      this.#effectiveLatenessMs = Math.min(this.#effectiveLatenessMs ?? Number.POSITIVE_INFINITY, newest.ts - floor.ts)
    }
  }

  /** Of what is served: a shadow that refuses everybody wakes nobody. */
  notePredictions({ models }: PredictionsBody, pipeline: Pick<Pipeline, 'models'>): void {
    const shadows = shadowNames(pipeline)
    for (const [name, { status }] of Object.entries(models)) {
      if (!shadows.has(name)) this.#predictions[status] = (this.#predictions[status] ?? 0) + 1
    }
  }

  get failedSequence(): string | undefined {
    return this.#failedSequence
  }

  counts(unknownFields: number): OutcomeCounts {
    const deadLetters: Partial<Record<RefusalReason, number>> = {}
    const deadLettersOfOwner: Record<string, number> = {}
    for (const { refusal } of this.refused) {
      const owner = (refusal.type === undefined ? undefined : this.#owners.get(refusal.type)) ?? UNOWNED
      deadLetters[refusal.reason] = (deadLetters[refusal.reason] ?? 0) + 1
      deadLettersOfOwner[owner] = (deadLettersOfOwner[owner] ?? 0) + 1
    }
    return {
      folded: this.#folded,
      duplicate: this.#duplicate,
      belowFloor: this.belowFloor.length,
      failed: this.#failed,
      deadLetters,
      deadLettersOfOwner,
      predictions: this.#predictions,
      conflicts: this.conflicts,
      usersWritten: this.usersWritten,
      unknownFields,
      effectiveLatenessMs: this.#effectiveLatenessMs,
    }
  }
}
