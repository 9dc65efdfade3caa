// What contracts refuse of many events, in bounded memory: counted by reason, and within a reason by the place that was looked at
// first. It keeps names of types and fields and positions, and nothing of a payload.
import { byCodePoint } from '../platform/canonical-json.ts'
import type { DecodedEvent, Refusal, RefusalReason } from './decoded-event.ts'

export interface CheckSummary {
  readonly events: number
  readonly accepted: number
  readonly refused: number
  /** Refused of all, 0 to 1; 0 where there are no events. */
  readonly refusedShare: number
  /** Most frequent first. */
  readonly reasons: readonly RefusedReason[]
}

export interface RefusedReason {
  readonly reason: RefusalReason
  readonly count: number
  /** Position of the first one, as it was given. */
  readonly first: number
  /** Of the first one: what, where and what to do. */
  readonly detail: string
  /** Most frequent first; none where no contract was reached. */
  readonly places: readonly RefusedPlaceCount[]
}

export interface RefusedPlaceCount {
  readonly type: string
  /** Null where it is no field: the id, the user, the time, the version. */
  readonly field: string | null
  readonly count: number
  readonly first: number
  readonly detail: string
}

interface Counted {
  readonly first: number
  readonly detail: string
  count: number
}

interface CountedReason extends Counted {
  readonly reason: RefusalReason
  readonly places: Map<string, Counted & { readonly type: string; readonly field: string | null }>
}

/** A contract stops at the first field that it refuses, so each refused event counts at one place. */
export class ContractCheck {
  readonly #reasons = new Map<RefusalReason, CountedReason>()
  #events = 0
  #refused = 0

  /** `position`: what the summary shall call it by, such as its line in a file. */
  add(decoded: DecodedEvent | Refusal, position: number): void {
    this.#events++
    if (!('reason' in decoded)) return
    this.#refused++
    const { reason, detail, type, field = null } = decoded
    const counted = this.#reasons.get(reason) ?? { reason, first: position, detail, count: 0, places: new Map() }
    counted.count++
    this.#reasons.set(reason, counted)
    if (type === undefined) return
    const key = `${type} ${field ?? ''}`
    const place = counted.places.get(key) ?? { type, field, first: position, detail, count: 0 }
    place.count++
    counted.places.set(key, place)
  }

  summary(): CheckSummary {
    const [events, refused] = [this.#events, this.#refused]
    return {
      events,
      accepted: events - refused,
      refused,
      refusedShare: events === 0 ? 0 : refused / events,
      reasons: mostFirst(this.#reasons.values()).map(reason => ({
        ...reason,
        places: mostFirst(reason.places.values()),
      })),
    }
  }
}

/** Copies; ties by their text, so that equal counts are equal summaries. */
function mostFirst<Count extends Counted>(counts: Iterable<Count>): Count[] {
  return [...counts].map(count => ({ ...count })).sort((a, b) => b.count - a.count || byCodePoint(a.detail, b.detail))
}
