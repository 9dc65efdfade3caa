// Users whose items cannot be read, made right from the archive: read, planned, kept, replaced, and their letters closed. A run that
// dies is run again: what was put is found sound then, and what was left open is closed.
import { closeRecords } from '../archive/closed-letters.ts'
import type { StreamTip } from '../event/stream-tip.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import { SECOND_MS } from '../platform/duration.ts'
import { groupBy } from '../platform/group-by.ts'
import { userBucket } from '../platform/hash.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { PinnedPredictor } from '../predictions/predictor.ts'
import { WRITES_IN_FLIGHT_MAX } from '../recompute/limits.ts'
import { type CorruptItem, isCorrupt, KEYS_PER_READ_MAX, type StoredItem, type UserStore } from '../store/user-item.ts'
import type { BackfillDependencies } from './backfill.ts'
import { EVENTS_HELD_MAX, type HeldUser, Holding } from './backfill-holding.ts'
import { LetterTail } from './backfill-letters.ts'
import { ArchiveTail } from './backfill-tail.ts'
import { goneShards, type IsGone } from './gone-shards.ts'
import type { OpenLetter } from './open-letters.ts'
import { isIncluded, itemProblem, planRepair, type RepairContext, type RepairPlan } from './repair-plan.ts'
import { carryOut, type RepairResult } from './repair-write.ts'

export interface RepairDependencies extends BackfillDependencies {
  readonly tip: StreamTip
}

export interface RepairRequest {
  readonly userIds: readonly string[]
  /** Stream name + '@' + epoch: the one that `tip` reads. */
  readonly stream: string
  /** For the archive, and for letters of the batches of the moment. */
  readonly waitMs: number
  /** What closed letters say. */
  readonly by: string
  readonly who: string
  readonly isDryRun?: boolean
  /** Of items whose state is sound, too, events that the archive will never have are given up. */
  readonly isLossAccepted?: boolean
  readonly eventsHeldMax?: number
  /** After some users. */
  readonly onProgress?: (results: readonly RepairResult[]) => void
}

/** Between two looks at the archive, which has news once a minute. */
const POLL_MS = SECOND_MS
/** A batch under way that has read the corrupt item writes its letters by then. */
const LETTERS_MS = 5 * SECOND_MS
/** Parallel scan segments, as a snapshot has. */
const SCAN_SEGMENTS = 8

/** Ids of all users whose items cannot be read, in order. Throws StoreError. */
export async function corruptUsers(users: UserStore, compiled: CompiledPipeline): Promise<readonly string[]> {
  const found: string[] = []
  await mapWithLimit([...Array(SCAN_SEGMENTS).keys()], SCAN_SEGMENTS, async segment => {
    for await (const page of users.scan(segment, SCAN_SEGMENTS)) {
      for (const item of page) if (itemProblem(compiled, item) !== undefined) found.push(item.userId)
    }
  })
  return found.sort()
}

/** A result for each user. Throws StoreError, ObjectStoreError, ArchiveError, CatalogError, EventStreamError. */
export async function repairUsers(request: RepairRequest, deps: RepairDependencies): Promise<readonly RepairResult[]> {
  const run = new RepairRun(request, deps)
  try {
    return await run.run()
  } finally {
    run.remove()
  }
}

/** Everything is planned on the item as it was read at first: the put asserts that it is still that one. */
interface ReadUser {
  readonly user: HeldUser
  readonly stored: StoredItem | CorruptItem | undefined
}

class RepairRun {
  readonly #request: RepairRequest
  readonly #deps: RepairDependencies
  readonly #tail: ArchiveTail
  readonly #letters: LetterTail
  readonly #results = new Map<string, RepairResult>()
  /** Who is looked at again: users with a letter that came since the run began and that a repair counts, or written meanwhile. */
  readonly #again = new Set<string>()
  #isGone: IsGone | undefined

  constructor(request: RepairRequest, deps: RepairDependencies) {
    const { archive, history, spoolDir } = deps
    this.#request = request
    this.#deps = deps
    this.#tail = new ArchiveTail({ archive, positions: history.positions, spoolDir })
    this.#letters = new LetterTail(archive, spoolDir)
  }

  async run(): Promise<readonly RepairResult[]> {
    const { userIds, waitMs, isDryRun } = this.#request
    await this.#letters.open()
    const predictor = await this.#deps.predictor.pinned()
    const untilMs = this.#deps.clock() + (isDryRun === true ? 0 : waitMs)
    await this.#repairAll(userIds, predictor, untilMs)
    if (isDryRun !== true && (await this.#isAnyDue())) {
      const again = [...this.#again].filter(userId => this.#results.has(userId))
      await this.#repairAll(again, predictor, untilMs)
    }
    return [...this.#results.values()]
  }

  remove(): void {
    this.#tail.remove()
    this.#letters.remove()
  }

  async #repairAll(userIds: readonly string[], predictor: PinnedPredictor, untilMs: number): Promise<void> {
    for (const [bucket, ofBucket] of groupBy([...new Set(userIds)], userId => `${userBucket(userId)}`)) {
      for (let from = 0; from < ofBucket.length; from += KEYS_PER_READ_MAX) {
        let left: readonly string[] = ofBucket.slice(from, from + KEYS_PER_READ_MAX)
        while (left.length > 0) left = await this.#pass(Number(bucket), left, { predictor, untilMs })
      }
    }
  }

  /** Who did not fit into memory. */
  async #pass(
    bucket: number,
    userIds: readonly string[],
    { predictor, untilMs }: { readonly predictor: PinnedPredictor; readonly untilMs: number },
  ): Promise<readonly string[]> {
    const { compiled, history, clock, sleep, users, tip } = this.#deps
    const eventsMax = this.#request.eventsHeldMax ?? EVENTS_HELD_MAX
    const holding = new Holding({ compiled, history, tail: this.#tail, eventsMax })
    const aside = {
      letters: await this.#letters.ofBucket(bucket),
      accepted: await this.#letters.acceptedOf(bucket),
      doubt: new Map(),
    }
    const { deferred, tooMany } = await holding.read(bucket, userIds, aside)
    for (const userId of tooMany) this.#note([{ userId, outcome: 'too-many-events', closed: [] }])
    const items = await users.loadMany(holding.users().map(({ userId }) => userId))
    let waiting: readonly ReadUser[] = holding.users().map(user => ({ user, stored: items.get(user.userId) }))
    let through: RepairContext['through']
    for (;;) {
      await this.#advance(holding)
      const plans = waiting.map(({ user, stored }) => planRepair(user, stored, this.#context(through)))
      if (through === undefined && plans.some(({ outcome }) => outcome === 'tip-unknown')) {
        through = await this.#endOfStream()
        continue
      }
      if (this.#isGone === undefined && plans.some(({ outcome }) => outcome === 'shards-unknown')) {
        this.#isGone = await goneShards(tip, this.#tail)
        continue
      }
      const results = await this.#carryOut(plans, predictor, this.#context(through))
      const left = new Set(results.filter(({ outcome }) => outcome === 'waiting').map(({ userId }) => userId))
      waiting = waiting.filter(({ user }) => left.has(user.userId))
      if (waiting.length === 0 || clock() >= untilMs) return deferred
      await sleep(POLL_MS)
    }
  }

  #context(through: RepairContext['through']): RepairContext {
    const [{ positions }, { closedSince }] = [this.#tail, this.#letters]
    const [isGone, isLossAccepted] = [this.#isGone, this.#request.isLossAccepted === true]
    const { compiled, clock } = this.#deps
    return { compiled, positions, through, isGone, isLossAccepted, closedSince, nowMs: clock() }
  }

  async #advance(holding: Holding | undefined): Promise<void> {
    await this.#tail.advance(record => holding?.take(record))
    await this.#letters.advance(letter => {
      holding?.takeLetter(letter)
      if (isIncluded(letter)) this.#again.add(letter.partitionKey)
    })
  }

  /** Of shards that the stream does not have any more, the archive has all that there will ever be. */
  async #endOfStream(): Promise<ReadonlyMap<string, string>> {
    const { stream } = this.#request
    const through = new Map(this.#tail.positions)
    const own = [...through].flatMap(([key, sequence]) =>
      key.startsWith(`${stream}/`) ? [[key.slice(stream.length + 1), sequence] as const] : [],
    )
    for (const [shard, sequence] of await this.#deps.tip.read(new Map(own))) through.set(`${stream}/${shard}`, sequence)
    return through
  }

  /** Letters are closed after the puts that count them. */
  async #carryOut(
    plans: readonly RepairPlan[],
    predictor: PinnedPredictor,
    context: RepairContext,
  ): Promise<readonly RepairResult[]> {
    const { who, by, isDryRun = false } = this.#request
    const deps = { ...this.#deps, predictor, who, isDryRun }
    const results = await mapWithLimit(plans, WRITES_IN_FLIGHT_MAX, plan => carryOut(plan, deps, context))
    const records: readonly OpenLetter[] = isDryRun ? [] : results.flatMap(({ closed }) => closed)
    await closeRecords(this.#deps.archive, 'closed', { records, by })
    if (records.length > 0) await this.#lookAgain(results)
    this.#note(results)
    return results
  }

  /** Another rebuild may have come between the put and the closing, and left out what was open then. */
  async #lookAgain(results: readonly RepairResult[]): Promise<void> {
    const put = results.filter(({ version, closed }) => version !== undefined && closed.length > 0)
    const items = await this.#deps.users.loadMany(put.map(({ userId }) => userId))
    for (const { userId, version } of put) {
      const item = items.get(userId)
      if (item !== undefined && (isCorrupt(item) || item.v !== version)) this.#again.add(userId)
    }
  }

  /** What a user was at first is what is told, with all letters that were closed; a second look adds to it. */
  #note(results: readonly RepairResult[]): void {
    for (const result of results) {
      const before = this.#results.get(result.userId)
      const isSecond = before !== undefined && before.outcome !== 'waiting'
      const closed = [...(before?.closed ?? []), ...result.closed]
      this.#results.set(result.userId, { ...(isSecond ? before : result), closed })
    }
    this.#request.onProgress?.([...this.#results.values()])
  }

  async #isAnyDue(): Promise<boolean> {
    const isAnyWritten = [...this.#results.values()].some(({ version }) => version !== undefined)
    if (!isAnyWritten) return false
    await this.#deps.sleep(Math.min(LETTERS_MS, this.#request.waitMs))
    await this.#advance(undefined)
    return this.#again.size > 0
  }
}
