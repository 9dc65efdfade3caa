// Many users folded at once from one pass over history: each user's events wait a little and are folded together, so that memory
// is bounded by users and not by events.
import { trimIds } from '../affected/decide.ts'
import type { DecodedEvent } from '../event/decoded-event.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { type NextItem, planUser } from '../recompute/plan-user.ts'

/** Events of one user that wait to be folded together. */
const EVENTS_PER_FOLD = 64

interface Pending {
  events: DecodedEvent[]
  next: NextItem | undefined
}

export class HistoryFold {
  readonly counts = { folded: 0, duplicates: 0, late: 0 }
  readonly #byUser = new Map<string, Pending>()
  readonly #compiled: CompiledPipeline

  constructor(compiled: CompiledPipeline) {
    this.#compiled = compiled
  }

  get size(): number {
    return this.#byUser.size
  }

  add(event: DecodedEvent): void {
    let pending = this.#byUser.get(event.userId)
    if (pending === undefined) {
      pending = { events: [], next: undefined }
      this.#byUser.set(event.userId, pending)
    }
    pending.events.push(event)
    if (pending.events.length >= EVENTS_PER_FOLD) this.#fold(pending)
  }

  /** Each user's first item. */
  finish(): readonly (readonly [string, NextItem])[] {
    const finished: (readonly [string, NextItem])[] = []
    for (const [userId, pending] of this.#byUser) {
      this.#fold(pending)
      const { next } = pending
      if (next !== undefined) finished.push([userId, { ...next, dedup: trimIds(next.dedup) }])
    }
    return finished
  }

  /** Every id within the lateness is kept until the end: a burst at one instant is not late in its own history. */
  #fold(pending: Pending): void {
    const before = pending.next === undefined ? undefined : { ...pending.next, version: 0 }
    const { decisions, next } = planUser(
      this.#compiled,
      before,
      pending.events.map(event => ({ event })),
      Number.POSITIVE_INFINITY,
    )
    for (const decision of decisions) {
      if (decision === 'fold') this.counts.folded++
      else if (decision === 'duplicate') this.counts.duplicates++
      else this.counts.late++
    }
    pending.events = []
    if (next !== undefined) pending.next = { ...next, version: 1 }
  }
}
