// Features at time − 1 ms for each label, as a GET at that instant would have answered: events and labels of one bucket in one
// pass, both by user, one state folded forward at a time. It is the fold and the evaluation that streams use.
import type { DecodedEvent } from '../event/decoded-event.ts'
import { evaluateFeatures } from '../features/evaluate.ts'
import type { FeaturesBody } from '../features/features-body.ts'
import type { Instant } from '../features/export-rows.ts'
import type { FeaturesPlan } from '../features/plan.ts'
import { foldState, type UserState } from '../features/state.ts'
import type { TimedEvent } from './training-events.ts'
import { compareText } from './training-labels.ts'

export interface TrainingRow<L extends Instant> {
  readonly label: L
  readonly values: FeaturesBody['values']
}

export interface RowCounts {
  rows: number
  users: number
  usersWithoutEvents: number
  /** Of events that some row would have counted by their own time, had they arrived. */
  notArrived: number
}

export interface TrainingRowsInput<L extends Instant> {
  /** By user, and a user's by time. */
  readonly labels: AsyncIterable<L>
  /** By user, and a user's by `knownMs`; those of users without a label are passed over. */
  readonly events: AsyncIterable<TimedEvent>
  readonly counts: RowCounts
}

/** A row for each label, in their order. */
export async function* trainingRows<L extends Instant>(
  plan: FeaturesPlan,
  { labels, events, counts }: TrainingRowsInput<L>,
): AsyncGenerator<TrainingRow<L>> {
  // What a user's features are before any event.
  const nobody = foldState({ plan, state: undefined, previousAt: undefined, previousVersion: undefined, events: [] })
  const source = events[Symbol.asyncIterator]()
  let head = await source.next()
  let user: LabelledUser | undefined
  try {
    for await (const label of labels) {
      if (user?.userId !== label.userId) {
        for (; head.done !== true && isBefore(head.value, label.userId); head = await source.next()) {
          if (user?.userId === head.value.event.userId) user.see(head.value)
        }
        user?.finish(counts)
        user = new LabelledUser(plan, label.userId, nobody)
      }
      const asOf = label.time - 1
      for (; head.done !== true && user.isKnown(head.value, asOf); head = await source.next()) user.add(head.value)
      counts.rows++
      yield { label, values: user.valuesAt(asOf) }
    }
    for (; head.done !== true; head = await source.next()) {
      if (user?.userId === head.value.event.userId) user.see(head.value)
    }
    user?.finish(counts)
  } finally {
    await source.return?.()
  }
}

function isBefore({ event }: TimedEvent, userId: string): boolean {
  return compareText(event.userId, userId) < 0
}

/** Events that wait to be folded together: none of them is asked about in between. */
const EVENTS_PER_FOLD = 256

interface Folded {
  readonly state: UserState
  readonly at: number
}

class LabelledUser {
  readonly userId: string
  readonly #plan: FeaturesPlan
  readonly #nobody: Folded
  #waiting: DecodedEvent[] = []
  #folded: Folded | undefined
  #lastAsOf = Number.NEGATIVE_INFINITY
  #hasEvents = false
  #notArrived = 0

  constructor(plan: FeaturesPlan, userId: string, nobody: Folded) {
    this.#plan = plan
    this.userId = userId
    this.#nobody = nobody
  }

  isKnown({ event, knownMs }: TimedEvent, asOf: number): boolean {
    return event.userId === this.userId && knownMs <= asOf
  }

  add(timed: TimedEvent): void {
    this.see(timed)
    this.#waiting.push(timed.event)
    if (this.#waiting.length >= EVENTS_PER_FOLD) this.#fold()
  }

  /** An event that no row so far has counted. */
  see({ event }: TimedEvent): void {
    this.#hasEvents = true
    if (event.ts <= this.#lastAsOf) this.#notArrived++
  }

  valuesAt(asOf: number): FeaturesBody['values'] {
    if (this.#waiting.length > 0) this.#fold()
    this.#lastAsOf = asOf
    const { state, at } = this.#folded ?? this.#nobody
    return evaluateFeatures(this.#plan, state, at, asOf).values
  }

  finish(counts: RowCounts): void {
    counts.users++
    if (!this.#hasEvents) counts.usersWithoutEvents++
    counts.notArrived += this.#notArrived
  }

  #fold(): void {
    this.#folded = foldState({
      plan: this.#plan,
      state: this.#folded?.state,
      previousAt: this.#folded?.at,
      previousVersion: undefined,
      events: this.#waiting,
    })
    this.#waiting = []
  }
}
