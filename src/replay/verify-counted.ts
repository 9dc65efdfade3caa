// "Stream equals batch" as docs/verify.md says it, in plain code: which events of history an item must contain. An item says of
// itself only how far it has come (marks, settled, imports); everything else follows from the archive.
import type { DedupState } from '../affected/dedup-state.ts'
import type { DecodedEvent } from '../event/decoded-event.ts'
import { firstOfEach, isAcceptedBy, type PastEvent, recordName, type StreamOrigin } from './verify-history.ts'

export interface ItemReach {
  readonly dedup: Pick<DedupState, 'types' | 'marks' | 'settledMs'>
  /** Batch IDs. */
  readonly imports: readonly string[]
}

/** Records that no item need contain, by `recordName`. */
export interface SetAside {
  /** With an open dead letter, or in a batch that Lambda gave up on. */
  readonly letters: ReadonlySet<string>
  /** Not set aside any more, although ahead of their arrival: the instant, ms, at which a replay accepted them. */
  readonly accepted: ReadonlyMap<string, number>
}

/** The events that the item must contain, each once. */
export function countedEvents(past: readonly PastEvent[], item: ItemReach, aside: SetAside): readonly DecodedEvent[] {
  const free = past.filter(one => !isAside(one, aside) && isReached(one, item))
  const brought = new Set(free.map(({ event }) => eventName(event)))
  // It was set aside, and the item knows it from nowhere else: so it was folded nevertheless, by a replay that has not closed it yet,
  // or in the batch that Lambda gave up on later.
  const folded = past.filter(one => isAside(one, aside) && !brought.has(eventName(one.event)) && isKnown(one, item))
  return firstOfEach([...free, ...folded])
}

/** What is ahead of its arrival has a letter, or will have one: it is set aside until it is accepted. */
export function isAside(past: PastEvent, { letters, accepted }: SetAside): boolean {
  const { origin } = past
  if (origin.kind === 'import') return false
  const name = recordName(origin)
  return letters.has(name) || (origin.isAhead && !isAcceptedBy(past, accepted.get(name)))
}

function isReached({ origin }: PastEvent, { dedup, imports }: ItemReach): boolean {
  if (origin.kind === 'import') return imports.includes(origin.batchId)
  const mark = dedup.marks.get(`${origin.stream}/${origin.shard}`)
  if (mark !== undefined && BigInt(origin.sequence) <= BigInt(mark.sequence)) return true
  return dedup.settledMs !== undefined && origin.arrivalMs < dedup.settledMs
}

function isKnown({ event }: PastEvent, { dedup }: ItemReach): boolean {
  return dedup.types.get(event.type)?.ids.some(({ idHash }) => idHash === event.idHash) ?? false
}

function eventName({ type, id }: DecodedEvent): string {
  return `${type}\0${id}`
}

/** The events of a user without an item that one should contain: records that every shard is past, and all that was imported. */
export function dueEvents(
  past: readonly PastEvent[],
  aside: SetAside,
  isPast: (origin: StreamOrigin) => boolean,
): readonly DecodedEvent[] {
  return firstOfEach(past.filter(one => one.origin.kind === 'import' || (isPast(one.origin) && !isAside(one, aside))))
}
