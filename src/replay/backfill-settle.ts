// Held users brought to an end: written, unchanged, left, or waiting for the archive, which is looked at again and again while
// somebody waits. Letters and doubt are closed after the writes that count them: a run that dies between is run again.
import { closeRecords, type NamedRecord } from '../archive/closed-letters.ts'
import type { Clock, Sleep } from '../platform/clock.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { isCorrupt, KEYS_PER_READ_MAX } from '../store/user-item.ts'
import type { HeldUser, Holding } from './backfill-holding.ts'
import type { ArchiveTail } from './backfill-tail.ts'
import type { LetterTail } from './backfill-letters.ts'
import { type WriteDependencies, writeChunk, type WrittenUser } from './backfill-write.ts'
import type { OpenLetter } from './open-letters.ts'
import type { IsGone } from './gone-shards.ts'
import { isReached, type Needs } from './rebuild-plan.ts'

/** Between two looks at the archive, which has news once a minute. */
const POLL_MS = 1000
/** Where nobody waits for the archive. */
const TRIES_MAX = 3

export interface BackfillCounts {
  /** That were looked at. */
  users: number
  written: number
  /** Of those written, users that had no item. */
  firstItems: number
  /** Of those written, users of whom events that only their item had were given up. */
  gaveUp: number
  unchanged: number
  /** Users whose newest events the archive does not have yet; at the end of a run: did not have in time. */
  waiting: number
  /** Items that cannot be read. */
  corrupt: number
  /** Users whose item would be over the size limit. */
  itemTooBig: number
  /** Users of more events than a run holds. */
  tooManyEvents: number
  lettersClosed: number
  /** Of the wanted reason: today's definitions refuse them too, or their user is left. */
  lettersLeft: number
  /** Of batches that Lambda gave up: records that no rebuild can count, from now on dead letters with reasons of their own. */
  lettersRefused: number
  doubtCleared: number
}

export function noCounts(): BackfillCounts {
  const left = { waiting: 0, corrupt: 0, itemTooBig: 0, tooManyEvents: 0 }
  return {
    users: 0,
    written: 0,
    firstItems: 0,
    gaveUp: 0,
    unchanged: 0,
    ...left,
    lettersClosed: 0,
    lettersLeft: 0,
    lettersRefused: 0,
    doubtCleared: 0,
  }
}

export interface SettleDependencies extends WriteDependencies {
  readonly archive: ObjectStore
  readonly tail: ArchiveTail
  readonly letters: LetterTail
  readonly clock: Clock
  readonly sleep: Sleep
  /** Letters that are counted from now on, and the instant, ms, by which they are judged instead of their arrival. */
  readonly isIncluded: (letter: OpenLetter) => boolean
  readonly acceptedMs: number | undefined
  /** See PlanContext. */
  readonly isGivenUp?: IsGone | undefined
  /** What closed letters and cleared doubt say. */
  readonly by: string
  readonly counts: BackfillCounts
  readonly onWritten: (userId: string) => void
  /** Told when users must be looked at once more, whatever the archive says. */
  readonly onAgain: () => void
  /** Letters whose records are counted now. */
  readonly onClosed?: ((letters: readonly OpenLetter[]) => void) | undefined
  /** Of everybody's letters that were written since the run began. */
  readonly onLetter: (letter: OpenLetter) => void
}

interface WaitingUser {
  readonly user: HeldUser
  readonly needs: Needs
}

/**
 * Who still waits. Without `untilMs` nobody is waited for; with it the archive is polled until then. Throws StoreError,
 * ObjectStoreError, ArchiveError.
 */
export async function settle(
  holding: Holding,
  deps: SettleDependencies,
  untilMs: number | undefined,
): Promise<readonly string[]> {
  const { tail, letters, clock, sleep } = deps
  const closing: Closing = { letters: [], doubt: [], leftOut: new Map(), versions: new Map() }
  let waiting: readonly WaitingUser[] = holding.users().map(user => ({ user, needs: [] }))
  for (let tries = 1; ; tries++) {
    await tail.advance(record => holding.take(record))
    await letters.advance(letter => {
      holding.takeLetter(letter)
      deps.onLetter(letter)
    })
    const ready = waiting.filter(({ needs }) => isReached(needs, tail.positions))
    const notReady = waiting.filter(({ needs }) => !isReached(needs, tail.positions))
    waiting = [...notReady, ...(await writeAll(ready, deps, closing))]
    const isOver = untilMs === undefined ? tries >= TRIES_MAX || ready.length === 0 : clock() >= untilMs
    if (waiting.length === 0 || isOver) break
    if (untilMs !== undefined) await sleep(POLL_MS)
  }
  await closeAll(closing, deps)
  const again = new Set([...(await closedMeanwhile(closing, deps)), ...(await writtenMeanwhile(closing, deps))])
  if (again.size > 0) deps.onAgain()
  return [...waiting.map(({ user }) => user.userId), ...again]
}

/** Users that were written without a letter that somebody closed at the same time: their items may lack its event. */
async function closedMeanwhile(
  { leftOut }: Closing,
  { letters, onLetter }: SettleDependencies,
): Promise<ReadonlySet<string>> {
  const users = new Set<string>()
  if (leftOut.size === 0) return users
  await letters.advance(onLetter)
  for (const [userId, keys] of leftOut) if (keys.some(key => letters.closedSince.has(key))) users.add(userId)
  return users
}

/**
 * The other side of it: users that somebody else wrote between the write that counts their letters and the closing, perhaps
 * without them, as they were open.
 */
async function writtenMeanwhile({ versions }: Closing, { users }: SettleDependencies): Promise<ReadonlySet<string>> {
  const written = new Set<string>()
  const names = [...versions.keys()]
  for (let from = 0; from < names.length; from += KEYS_PER_READ_MAX) {
    for (const item of (await users.loadMany(names.slice(from, from + KEYS_PER_READ_MAX))).values()) {
      if (!isCorrupt(item) && item.v !== versions.get(item.userId)) written.add(item.userId)
    }
  }
  return written
}

interface Closing {
  readonly letters: OpenLetter[]
  readonly doubt: NamedRecord[]
  /** By user that was written, its open letters that are not counted. */
  readonly leftOut: Map<string, readonly string[]>
  /** By user whose letters are closed, that of the item that counts them. */
  readonly versions: Map<string, number>
}

async function writeAll(
  users: readonly WaitingUser[],
  deps: SettleDependencies,
  closing: Closing,
): Promise<readonly WaitingUser[]> {
  const { compiled, tail, isIncluded, acceptedMs, isGivenUp } = deps
  const context = {
    compiled,
    includedReason: undefined,
    isIncluded,
    acceptedMs,
    isGivenUp,
    positions: tail.positions,
    closedSince: deps.letters.closedSince,
  }
  const waiting: WaitingUser[] = []
  for (let from = 0; from < users.length; from += KEYS_PER_READ_MAX) {
    const chunk = users.slice(from, from + KEYS_PER_READ_MAX).map(({ user }) => user)
    for (const written of await writeChunk(chunk, deps, context)) {
      if (written.outcome === 'waiting') waiting.push(written)
      else note(written, deps, closing)
    }
  }
  return waiting
}

function note(
  written: Exclude<WrittenUser, { readonly outcome: 'waiting' }>,
  { counts, onWritten }: SettleDependencies,
  closing: Closing,
): void {
  const { user } = written
  switch (written.outcome) {
    case 'corrupt':
      counts.corrupt++
      return
    case 'too-big':
      counts.itemTooBig++
      return
    case 'unchanged':
      counts.unchanged++
      break
    case 'written':
      counts.written++
      if (written.version === 1) counts.firstItems++
      if (written.lost.length > 0) counts.gaveUp++
      if (written.leftOut.length > 0) closing.leftOut.set(user.userId, written.leftOut)
      onWritten(user.userId)
  }
  if (written.closed.length > 0) closing.versions.set(user.userId, written.version)
  for (const letter of written.closed) closing.letters.push(letter)
  for (const doubt of user.doubt) closing.doubt.push(doubt)
}

async function closeAll(
  { letters, doubt }: Closing,
  { archive, by, counts, onClosed }: SettleDependencies,
): Promise<void> {
  await closeRecords(archive, 'closed', { records: letters, by })
  counts.lettersClosed += letters.length
  onClosed?.(letters)
  await closeRecords(archive, 'cleared', { records: doubt, by })
  counts.doubtCleared += doubt.length
}
