// Which of the waiting entries the next PutRecords carries. Order per user is decided here: an entry goes only when no
// earlier entry of its user still waits, so what failed is never overtaken by a later call.
import { ENTRIES_PER_PUT_MAX, entryBytes, PUT_BYTES_MAX, type StreamEntry } from './event-stream-writer.ts'

export interface PutPlan<Waiting> {
  readonly now: readonly Waiting[]
  /** In the order given. */
  readonly later: readonly Waiting[]
}

export interface PutPlanOptions {
  /** Users one of whose entries failed in this round: all of theirs wait. */
  readonly heldUsers: ReadonlySet<string>
  /** PutRecords promises no order inside a call; this leaves a user's second entry to the next one. */
  readonly oneEntryPerUser: boolean
}

/** Takes from the front, in order, what fits into one call. */
export function planPut<Waiting extends { readonly entry: StreamEntry }>(
  waiting: readonly Waiting[],
  options: PutPlanOptions,
): PutPlan<Waiting> {
  const now: Waiting[] = []
  const later: Waiting[] = []
  const taken = new Set<string>()
  let bytes = 0
  for (const [position, candidate] of waiting.entries()) {
    const user = candidate.entry.partitionKey
    if (options.heldUsers.has(user) || (options.oneEntryPerUser && taken.has(user))) {
      later.push(candidate)
      continue
    }
    bytes += entryBytes(candidate.entry)
    if (now.length === ENTRIES_PER_PUT_MAX || bytes > PUT_BYTES_MAX) {
      return { now, later: [...later, ...waiting.slice(position)] }
    }
    now.push(candidate)
    taken.add(user)
  }
  return { now, later }
}
