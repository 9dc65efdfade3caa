// Features as they stood at given instants: one pass over events and instants, both in order of time, each user's state folded
// on the way. It is the fold that streams use, so a model is trained on the very numbers that it will be given.
import type { DecodedEvent } from '../event/decoded-event.ts'
import { evaluateFeatures } from './evaluate.ts'
import { OrderError } from './errors.ts'
import type { FeaturesBody } from './features-body.ts'
import type { FeaturesPlan } from './plan.ts'
import { foldState, type UserState } from './state.ts'

/** Features are those at `time − 1 ms`: what happens at `time` is what they are to say something about. */
export interface Instant {
  readonly userId: string
  /** ms UTC. */
  readonly time: number
}

export interface ExportRow<I extends Instant> {
  readonly instant: I
  readonly features: FeaturesBody
}

export interface ExportInput<I extends Instant> {
  /** Each once, ascending by `ts`. */
  readonly events: AsyncIterable<DecodedEvent> | Iterable<DecodedEvent>
  /** Ascending by `time`. */
  readonly instants: AsyncIterable<I> | Iterable<I>
}

interface Folded {
  readonly state: UserState
  readonly at: number
}

/** A row for each instant, in their order. Holds one state a user and nothing else. Throws OrderError. */
export async function* exportRows<I extends Instant>(
  plan: FeaturesPlan,
  input: ExportInput<I>,
): AsyncGenerator<ExportRow<I>> {
  const users = new Map<string, Folded>()
  const nobody = foldState({ plan, state: undefined, previousAt: undefined, previousVersion: undefined, events: [] })
  const events = inOrder(input.events, event => event.ts, 'event')
  let event = await events.next()
  for await (const instant of inOrder(input.instants, ({ time }) => time, 'instant')) {
    const asOf = instant.time - 1
    for (; event.done !== true && event.value.ts <= asOf; event = await events.next()) {
      const before = users.get(event.value.userId)
      const folded = foldState({
        plan,
        state: before?.state,
        previousAt: before?.at,
        previousVersion: undefined,
        events: [event.value],
      })
      users.set(event.value.userId, folded)
    }
    const { state, at } = users.get(instant.userId) ?? nobody
    yield { instant, features: evaluateFeatures(plan, state, at, asOf) }
  }
}

async function* inOrder<T>(
  items: AsyncIterable<T> | Iterable<T>,
  timeOf: (item: T) => number,
  what: string,
): AsyncGenerator<T, undefined> {
  let latest = Number.NEGATIVE_INFINITY
  let position = 0
  for await (const item of items) {
    position++
    const time = timeOf(item)
    if (!(time >= latest)) throw new OrderError(what, position)
    latest = time
    yield item
  }
  return undefined
}
