// "Stream equals batch" as docs/verify.md says it, in plain code: which events of history an item must contain. An item says of
// itself only how far it has come (marks, settled, imports); everything else follows from the archive.
import type { DedupState } from '../affected/dedup-state.ts'
import type { DecodedEvent } from '../event/decoded-event.ts'
import { firstOfEach, type PastEvent, recordName, type StreamOrigin } from './verify-history.ts'

export interface ItemReach {
  readonly dedup: Pick<DedupState, 'types' | 'marks' | 'settledMs'>
  /** Batch IDs. */
  readonly imports: readonly string[]
}

/** Records that no item need contain, by `recordName`. */
export interface SetAside {
  /** With an open dead letter. */
  readonly letters: ReadonlySet<string>
  /** In a batch that Lambda gave up on; by `givenUpName`, as its objects do not say the stream's epoch. */
  readonly givenUp: ReadonlySet<string>
}

/** The events that the item must contain, each once. */
export function countedEvents(past: readonly PastEvent[], item: ItemReach, aside: SetAside): readonly DecodedEvent[] {
  return firstOfEach(past.filter(one => isCounted(one, item, aside)))
}

function isCounted({ event, origin }: PastEvent, { dedup, imports }: ItemReach, aside: SetAside): boolean {
  if (origin.kind === 'import') return imports.includes(origin.batchId)
  if (aside.letters.has(recordName(origin))) return false
  // Others of the batch may have been written before Lambda gave it up, so the item is asked whether it knows the event.
  if (aside.givenUp.has(givenUpName(origin))) {
    return dedup.types.get(event.type)?.ids.some(({ idHash }) => idHash === event.idHash) ?? false
  }
  const mark = dedup.marks.get(`${origin.stream}/${origin.shard}`)
  if (mark !== undefined && BigInt(origin.sequence) <= BigInt(mark.sequence)) return true
  return dedup.settledMs !== undefined && origin.arrivalMs < dedup.settledMs
}

/** Without the stream's epoch. */
export function givenUpName({ stream, shard, sequence }: Pick<StreamOrigin, 'stream' | 'shard' | 'sequence'>): string {
  return recordName({ stream: stream.replace(/@\d+$/, ''), shard, sequence })
}

/** The events of a user without an item that one should contain: records that every shard is past, and all that was imported. */
export function dueEvents(
  past: readonly PastEvent[],
  aside: SetAside,
  isPast: (origin: StreamOrigin) => boolean,
): readonly DecodedEvent[] {
  return firstOfEach(
    past.filter(({ origin }) => {
      if (origin.kind === 'import') return true
      return isPast(origin) && !aside.letters.has(recordName(origin)) && !aside.givenUp.has(givenUpName(origin))
    }),
  )
}
