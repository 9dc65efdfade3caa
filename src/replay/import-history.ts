// History from day one: events that never were in the stream, folded into new users by the same plan as live ones, and written
// once per user. The batch they came from is named in each item's `imports`, so that every number can be traced.
import type { DecodedEvent } from '../event/decoded-event.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { type Predictor, predictOne } from '../predictions/predictor.ts'
import { WRITES_IN_FLIGHT_MAX } from '../recompute/limits.ts'
import { encodeNext } from '../recompute/item-content.ts'
import { type ItemBefore, type NextItem, planUser } from '../recompute/plan-user.ts'
import type { UserStore } from '../store/user-item.ts'

/** Events of one user that wait to be folded together; bounds memory by users, not by events. */
const EVENTS_PER_FOLD = 64
/** Users whose predictions are made in one run. */
const USERS_PER_RUN = 500

export interface ImportOptions {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly predictor: Predictor
  /** The catalogue's batch that holds the imported events. */
  readonly batchId: string
  readonly onProgress?: (done: ImportProgress) => void
}

export interface ImportProgress {
  readonly events: number
  readonly usersWritten: number
  readonly users: number
}

export interface ImportReport extends ImportProgress {
  readonly folded: number
  readonly duplicates: number
  /** Older than the type's lateness allows after what was folded before: sort the history by time. */
  readonly late: number
  /** Users that existed already: their history is left alone. */
  readonly usersSkipped: number
}

/** `events` ascending by time. Throws StoreError. */
export async function importHistory(
  events: Iterable<DecodedEvent> | AsyncIterable<DecodedEvent>,
  options: ImportOptions,
): Promise<ImportReport> {
  const history = new History(options)
  let count = 0
  for await (const event of events) {
    history.add(event)
    if (++count % 10_000 === 0) options.onProgress?.({ events: count, usersWritten: 0, users: history.size })
  }
  const written = await writeUsers(history.finish(), options, count)
  return { events: count, users: history.size, ...history.counts, ...written }
}

interface Pending {
  readonly events: DecodedEvent[]
  next: NextItem | undefined
}

class History {
  readonly #byUser = new Map<string, Pending>()
  readonly #compiled: CompiledPipeline
  readonly counts = { folded: 0, duplicates: 0, late: 0 }

  constructor({ compiled }: ImportOptions) {
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

  finish(): [string, NextItem][] {
    const finished: [string, NextItem][] = []
    for (const [userId, pending] of this.#byUser) {
      this.#fold(pending)
      if (pending.next !== undefined) finished.push([userId, pending.next])
    }
    return finished
  }

  #fold(pending: Pending): void {
    const { decisions, next } = planUser(
      this.#compiled,
      pending.next === undefined ? undefined : asBefore(pending.next),
      pending.events.map(event => ({ event })),
    )
    for (const decision of decisions) {
      if (decision === 'fold') this.counts.folded++
      else if (decision === 'duplicate') this.counts.duplicates++
      else this.counts.late++
    }
    pending.events.length = 0
    if (next !== undefined) pending.next = { ...next, version: 1 }
  }
}

function asBefore(next: NextItem): ItemBefore {
  return { version: 0, at: next.at, dedup: next.dedup, state: next.state }
}

async function writeUsers(
  finished: readonly [string, NextItem][],
  options: ImportOptions,
  events: number,
): Promise<{ usersWritten: number; usersSkipped: number }> {
  let usersWritten = 0
  let usersSkipped = 0
  for (let start = 0; start < finished.length; start += USERS_PER_RUN) {
    const slice = finished.slice(start, start + USERS_PER_RUN)
    const predicted = await options.predictor.predict(slice.map(([, next]) => next.features))
    await mapWithLimit(slice, WRITES_IN_FLIGHT_MAX, async ([userId, next], index) => {
      const prediction = predicted[index] ?? (await predictOne(options.predictor, next.features))
      const item = encodeNext({ userId, before: undefined, next, imports: [options.batchId] }, prediction)
      if ('reason' in item) {
        usersSkipped++
        return
      }
      const put = await options.users.put(item, undefined)
      if (put.outcome === 'written') usersWritten++
      else usersSkipped++
    })
    options.onProgress?.({ events, usersWritten, users: finished.length })
  }
  return { usersWritten, usersSkipped }
}
