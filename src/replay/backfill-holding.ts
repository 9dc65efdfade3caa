// The events of the users that are being rebuilt, held in bounded memory: where a bucket has more than fits, its later users are
// let go and read again in another pass.
import type { NamedRecord } from '../archive/closed-letters.ts'
import type { History } from '../archive/history.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { BucketAside } from './backfill-select.ts'
import type { ArchiveTail } from './backfill-tail.ts'
import { type HistoryEvent, historyEvent, recordEvent } from './counted-events.ts'
import type { AcceptedRecords, OpenLetter } from './open-letters.ts'

/** About 0.6 KB each once decoded (measured): 300 MB. Also the most that one user may have. */
export const EVENTS_HELD_MAX = 500_000

export interface HeldUser {
  readonly userId: string
  /** All that history and tail have of the user so far. */
  readonly events: HistoryEvent[]
  /** Open ones, whatever their reason. */
  readonly letters: OpenLetter[]
  /** Closed ones that count although they are ahead of their arrival. */
  readonly accepted?: AcceptedRecords | undefined
  /** Records to be cleared once the user is rebuilt. */
  readonly doubt: readonly NamedRecord[]
}

export interface HoldingSources {
  readonly history: History
  readonly tail: ArchiveTail
  readonly compiled: CompiledPipeline
  readonly eventsMax: number
}

/** Who is not held: for another pass, or for none, having more events than may be held. */
export interface NotHeld {
  readonly deferred: readonly string[]
  readonly tooMany: readonly string[]
}

export class Holding {
  readonly #users = new Map<string, HeldUser>()
  readonly #sources: HoldingSources
  #events = 0

  constructor(sources: HoldingSources) {
    this.#sources = sources
  }

  users(): readonly HeldUser[] {
    return [...this.#users.values()]
  }

  /** Reads the bucket once. Throws ObjectStoreError, CatalogError, ArchiveError. */
  async read(bucket: number, userIds: readonly string[], { letters, doubt, accepted }: BucketAside): Promise<NotHeld> {
    const { history, tail, compiled, eventsMax } = this.#sources
    const names = new Set(userIds)
    for (const userId of names) {
      const aside = { letters: [...(letters.get(userId) ?? [])], doubt: doubt.get(userId) ?? [], accepted }
      this.#users.set(userId, { userId, events: [], ...aside })
    }
    const notHeld = { deferred: [] as string[], tooMany: [] as string[] }
    if (names.size === 0) return notHeld
    for await (const record of history.bucket(bucket, { userIds: names })) {
      const event = record.kind === 'stream' ? recordEvent(record.record, compiled) : historyEvent(record, compiled)
      if (!('reason' in event)) this.#hold(event)
      if (this.#events > eventsMax) this.#shed(names, notHeld)
      if (names.size === 0) return notHeld
    }
    for await (const record of tail.records(bucket)) {
      this.take(record)
      if (this.#events > eventsMax) this.#shed(names, notHeld)
    }
    return notHeld
  }

  /** A record that was archived since. */
  take(record: StreamRecord): void {
    if (!this.#users.has(record.partitionKey)) return
    const event = recordEvent(record, this.#sources.compiled)
    if (!('reason' in event)) this.#hold(event)
  }

  /** One that was written since. */
  takeLetter(letter: OpenLetter): void {
    this.#users.get(letter.partitionKey)?.letters.push(letter)
  }

  #hold(event: HistoryEvent): void {
    const user = this.#users.get(event.event.userId)
    if (user === undefined) return
    user.events.push(withoutData(event))
    this.#events++
  }

  /** Down to half, so that it is not done again at once; from the last, so that the first ones are done in this pass. */
  #shed(names: Set<string>, { deferred, tooMany }: { deferred: string[]; tooMany: string[] }): void {
    for (const userId of [...names].reverse()) {
      const isAlone = this.#users.size === 1
      if (this.#events <= this.#sources.eventsMax / 2 || (isAlone && this.#events <= this.#sources.eventsMax)) return
      ;(isAlone ? tooMany : deferred).push(userId)
      this.#events -= this.#users.get(userId)?.events.length ?? 0
      this.#users.delete(userId)
      names.delete(userId)
    }
  }
}

/** The payload is decoded; what is left of the record is its name and its arrival. */
function withoutData(held: HistoryEvent): HistoryEvent {
  return held.record === undefined ? held : { ...held, record: { ...held.record, dataBase64: '' } }
}
