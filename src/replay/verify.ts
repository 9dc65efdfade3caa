// Whether what is stored is what history says: users are recomputed from the archive by the obvious implementation and held against
// their items. docs/verify.md says what is compared and what each finding means.
import type { History } from '../archive/history.ts'
import { EventStreamError } from '../event/errors.ts'
import type { StreamTip } from '../event/stream-tip.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { Sleep } from '../platform/clock.ts'
import { SECOND_MS } from '../platform/duration.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { UserStore } from '../store/user-item.ts'
import { goneByEpoch, goneShards, type IsGone } from './gone-shards.ts'
import { asideByBucket } from './verify-aside.ts'
import { historyReader } from './verify-history.ts'
import { type ChosenItems, chooseItems } from './verify-items.ts'
import { type VerifyFindings, VerifyTally } from './verify-report.ts'
import type { Which } from './verify-sample.ts'
import { judgeUser, type Verdict } from './verify-user.ts'
import { usersOfBucket } from './verify-users.ts'

export interface VerifyOptions {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly archive: ObjectStore
  /** A view of now; each call gives another one, closed before the next is opened. */
  readonly openHistory: () => Promise<History>
  /** Asked, where the archive does not come as far as the items, whether it ever will. */
  readonly tip?: StreamTip | undefined
  readonly sleep: Sleep
  readonly which: Which
  /** The instant of the GET that is compared. */
  readonly atMs: number
  /** How long to wait for the archive to come as far as the items. */
  readonly waitMs: number
  /** A folder made and removed by the caller. */
  readonly spoolDir: string
  /** See BucketSources. */
  readonly eventsInMemoryMax?: number
  /** Told after each bucket, of how many. */
  readonly onBucket?: (buckets: number) => void
}

export interface VerifyReport extends VerifyFindings {
  readonly atMs: number
  /** Batches of the catalogue that history was read from; the rest was raw objects. */
  readonly batches: number
  /** Records of these users that are no event today and have no dead letter: a contract has changed since. */
  readonly refusedToday: number
  /** Keys of objects below aws/lambda/ that could not be read. */
  readonly givenUpUnreadable: readonly string[]
}

/** Between two looks at how far the archive is. */
const ARCHIVE_LOOK_MS = 2 * SECOND_MS
/** A batch under way writes its items first and its dead letters last: by then both are there. */
const SECOND_LOOK_MS = 2 * SECOND_MS
/** Beyond so many wrong users it is no race. */
const SUSPECTS_MAX = 10_000

/** Throws StoreError, ObjectStoreError, CatalogError, ArchiveError. */
export async function verifyUsers(options: VerifyOptions): Promise<VerifyReport> {
  const tally = new VerifyTally()
  const suspects: string[] = []
  const first = await look(options, undefined, (userId, verdict) => {
    if (isWrong(verdict) && suspects.length < SUSPECTS_MAX) suspects.push(userId)
    else tally.add(userId, verdict)
  })
  if (suspects.length > 0) {
    // The stream went on between the reads of item, archive and dead letters: only what is wrong twice is wrong.
    await options.sleep(SECOND_LOOK_MS)
    const which = { kind: 'named', userIds: suspects } as const
    const { onBucket: _, ...quietly } = options
    await look({ ...quietly, which }, first.folded, (userId, verdict) => tally.add(userId, verdict))
  }
  const { batches, refusedToday, givenUpUnreadable } = first
  return { ...tally.findings(), atMs: options.atMs, batches, refusedToday, givenUpUnreadable }
}

function isWrong({ kind }: Verdict): boolean {
  return kind === 'missing' || kind === 'extra' || kind === 'different'
}

interface Look {
  readonly batches: number
  readonly refusedToday: number
  readonly givenUpUnreadable: readonly string[]
  readonly folded: ChosenItems['folded']
}

async function look(
  options: VerifyOptions,
  foldedBefore: ChosenItems['folded'],
  tell: (userId: string, verdict: Verdict) => void,
): Promise<Look> {
  const { compiled, archive, atMs, spoolDir, eventsInMemoryMax } = options
  // In this order: what an item contains is in the archive soon, and its dead letters are written after it.
  const chosen = await chooseItems(options)
  const { history, isGone } = await openCovering(chosen.needed, options)
  const aside = await asideByBucket(archive, chosen.isChosen, spoolDir)
  const folded = chosen.folded ?? foldedBefore
  const bench = { compiled, atMs, positions: history.positions, folded, isGone }
  const read = historyReader(compiled)
  let refusedToday = 0
  try {
    for (const bucket of chosen.buckets) {
      const asideHere = await aside.inBucket(bucket)
      const onRefused = (): void => void refusedToday++
      const sources = { history, chosen, read, aside: asideHere, spoolDir, eventsInMemoryMax, onRefused }
      for await (const user of usersOfBucket(bucket, sources)) tell(user.userId, judgeUser(user, asideHere, bench))
      options.onBucket?.(chosen.buckets.length)
    }
  } finally {
    await history.close()
    chosen.remove()
    aside.remove()
  }
  return { batches: history.inputs.length, refusedToday, givenUpUnreadable: aside.unreadable, folded }
}

async function openCovering(
  needed: ReadonlyMap<string, string>,
  { openHistory, sleep, waitMs, tip }: VerifyOptions,
): Promise<{ readonly history: History; readonly isGone: IsGone }> {
  for (let waitedMs = 0; ; waitedMs += ARCHIVE_LOOK_MS) {
    const history = await openHistory()
    const { positions } = history
    const isGone = goneByEpoch(positions)
    if (covers(positions, needed, isGone)) return { history, isGone }
    // Whoever waited in vain asks the stream, too.
    if (waitedMs >= waitMs) return { history, isGone: tip === undefined ? isGone : await orByEpoch(tip, positions) }
    await history.close()
    await sleep(ARCHIVE_LOOK_MS)
  }
}

/** A stream that cannot be asked says nothing of its shards: those users are behind, and the rest is told. */
async function orByEpoch(tip: StreamTip, positions: ReadonlyMap<string, string>): Promise<IsGone> {
  try {
    return await goneShards(tip, { positions })
  } catch (error) {
    if (error instanceof EventStreamError) return goneByEpoch(positions)
    throw error
  }
}

function covers(positions: ReadonlyMap<string, string>, needed: ReadonlyMap<string, string>, isGone: IsGone): boolean {
  return [...needed].every(([shard, sequence]) => {
    if (isGone(shard)) return true
    const position = positions.get(shard)
    return position !== undefined && BigInt(position) >= BigInt(sequence)
  })
}
