// Users made right from history while the stream runs: whoever needs it is read once, rebuilt up to its own marks and written once.
// The first sweep goes bucket by bucket; who was ahead of the archive is held in the next one, and written when it has caught up.
// A run that dies is run again: what is complete is not written again.
import { GIVEN_UP } from '../archive/given-up.ts'
import type { History } from '../archive/history.ts'
import type { Clock, Sleep } from '../platform/clock.ts'
import { SECOND_MS } from '../platform/duration.ts'
import { USER_BUCKETS, userBucket } from '../platform/hash.ts'
import { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { writePace } from '../platform/pace.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { Predictor } from '../predictions/predictor.ts'
import type { SpillStore } from '../store/spill-store.ts'
import type { UserStore } from '../store/user-item.ts'
import { EVENTS_HELD_MAX, Holding } from './backfill-holding.ts'
import { LetterTail } from './backfill-letters.ts'
import { type BackfillTarget, type BucketAside, Selection } from './backfill-select.ts'
import { type BackfillCounts, noCounts, settle, type SettleDependencies } from './backfill-settle.ts'
import { ArchiveTail } from './backfill-tail.ts'
import { recordKey } from './counted-events.ts'
import type { IsGone } from './gone-shards.ts'
import type { OpenLetter } from './open-letters.ts'
import { refuseGivenUp } from './refuse-given-up.ts'

export interface BackfillDependencies {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly predictor: Predictor
  readonly spills?: SpillStore | undefined
  readonly archive: ObjectStore
  /** Opened for this run. */
  readonly history: History
  readonly clock: Clock
  readonly sleep: Sleep
  /** Made and removed by the caller. */
  readonly spoolDir: string
}

export interface BackfillRequest {
  readonly target: BackfillTarget
  /** Nobody else. */
  readonly only?: ReadonlySet<string> | undefined
  readonly writesPerSecond?: number | undefined
  /** For the archive, once everybody who need not wait is done, and for letters of the batches of the moment. */
  readonly waitMs: number
  /** What closed letters and cleared doubt say. */
  readonly by: string
  /** Who needs it is counted, nothing is written. */
  readonly isDryRun?: boolean
  readonly eventsHeldMax?: number
  /** Shards of which events that only an item has are given up; without it their users wait. */
  readonly isGivenUp?: IsGone | undefined
  readonly onClosed?: SettleDependencies['onClosed']
  /** After each bucket. */
  readonly onProgress?: (counts: BackfillCounts) => void
}

/** Refused after decoding, or not at all, so that only the letter says that an item does not have them. */
const REASONS_OF_ITEMS: ReadonlySet<string> = new Set(['late', 'item-corrupt', 'item-too-big', GIVEN_UP])

/** A batch under way writes its items first and its letters last: by then both are there. */
const LETTERS_MS = 5 * SECOND_MS

/** Throws StoreError, CatalogError, ObjectStoreError, ArchiveError: what was written until then is complete. */
export async function backfill(request: BackfillRequest, deps: BackfillDependencies): Promise<BackfillCounts> {
  const run = new BackfillRun(request, deps)
  try {
    return await run.run()
  } finally {
    run.remove()
  }
}

class BackfillRun {
  readonly #request: BackfillRequest
  readonly #deps: BackfillDependencies
  readonly #counts = noCounts()
  readonly #selection: Selection
  readonly #tail: ArchiveTail
  /** Who was written, to be looked at again where a letter of theirs came at the same time. */
  readonly #written: LineSpool
  readonly #letters: LetterTail
  /** Users with a letter since the run began that only the letter tells of. */
  readonly #setAside = new Set<string>()
  /** Somebody among those who wait was written, by us or another, without a letter that was closed at the same time. */
  #isAgain = false
  /** Who waits for the next sweep. */
  #waiting: LineSpool
  #spools = 0

  constructor(request: BackfillRequest, deps: BackfillDependencies) {
    const { archive, history, spoolDir } = deps
    this.#request = request
    this.#deps = deps
    this.#selection = new Selection({ ...deps, target: request.target, only: request.only })
    this.#tail = new ArchiveTail({ archive, positions: history.positions, spoolDir })
    this.#written = new LineSpool(spoolDir, 'written')
    this.#letters = new LetterTail(archive, spoolDir)
    this.#waiting = this.#newSpool()
  }

  async run(): Promise<BackfillCounts> {
    const { target, only, waitMs, isDryRun } = this.#request
    const isGivenUp = target.kind === 'letters' && target.reason === GIVEN_UP
    // First, so that they are read as what they are from here on.
    if (isGivenUp && isDryRun !== true) this.#counts.lettersRefused = await refuseGivenUp(only, this.#deps)
    await this.#letters.open()
    await this.#selection.prepare()
    this.#counts.corrupt = this.#selection.corrupt
    const pinned = await this.#deps.predictor.pinned()
    const settling = this.#settling(pinned)
    for (let bucket = 0; bucket < USER_BUCKETS; bucket++) {
      const aside = await this.#aside(bucket)
      const userIds = await this.#selection.usersOf(bucket, aside)
      this.#counts.users += userIds.length
      this.#counts.lettersLeft += countLetters(aside, userIds, isIncluded(target))
      if (isDryRun !== true) await this.#firstSweep(bucket, userIds, settling)
      this.#request.onProgress?.(this.#counts)
    }
    if (isDryRun === true) return this.#counts
    const untilMs = this.#deps.clock() + waitMs
    while (this.#counts.waiting > 0 && this.#deps.clock() < untilMs) await this.#waitingSweep(settling, untilMs)
    let isDue = (await this.#recallWritten(waitMs)) || this.#isAgain
    while (isDue) {
      this.#isAgain = false
      await this.#waitingSweep(settling, untilMs)
      isDue = this.#isAgain
    }
    // Some may have come and been closed since they were counted.
    this.#counts.lettersLeft = Math.max(0, this.#counts.lettersLeft - this.#counts.lettersClosed)
    return this.#counts
  }

  remove(): void {
    this.#selection.remove()
    this.#tail.remove()
    this.#letters.remove()
    for (const spool of [this.#written, this.#waiting]) spool.remove()
  }

  /** In as many passes as the bucket's events need. */
  async #firstSweep(bucket: number, userIds: readonly string[], settling: SettleDependencies): Promise<void> {
    for (let left = userIds; left.length > 0; ) {
      const holding = this.#newHolding()
      const { deferred, tooMany } = await holding.read(bucket, left, await this.#aside(bucket))
      this.#counts.tooManyEvents += tooMany.length
      for (const userId of await settle(holding, settling, undefined)) this.#wait(userId)
      left = deferred
    }
  }

  /** All that wait are held together, as far as they fit, and written as the archive catches up. */
  async #waitingSweep(settling: SettleDependencies, untilMs: number): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = this.#newSpool()
    this.#counts.waiting = 0
    const holding = this.#newHolding()
    for (const bucket of waiting.slots()) {
      const { deferred, tooMany } = await holding.read(bucket, await names(waiting, bucket), await this.#aside(bucket))
      this.#counts.tooManyEvents += tooMany.length
      for (const userId of deferred) this.#wait(userId)
    }
    waiting.remove()
    for (const userId of await settle(holding, settling, untilMs)) this.#wait(userId)
    this.#request.onProgress?.(this.#counts)
  }

  /**
   * A letter is written after the item of the same batch: it may have been missed, and its record counted. Whether somebody is to
   * be looked at again.
   */
  async #recallWritten(waitMs: number): Promise<boolean> {
    if (this.#counts.written === 0) return false
    await this.#deps.sleep(Math.min(LETTERS_MS, waitMs))
    await this.#letters.advance(this.#onLetter)
    let isAny = false
    for (const bucket of this.#setAside.size === 0 ? [] : this.#written.slots()) {
      for (const userId of await names(this.#written, bucket)) {
        if (!this.#setAside.has(userId)) continue
        this.#wait(userId)
        isAny = true
      }
    }
    return isAny
  }

  readonly #onLetter = ({ partitionKey, reason }: OpenLetter): void => {
    if (REASONS_OF_ITEMS.has(reason)) this.#setAside.add(partitionKey)
  }

  async #aside(bucket: number): Promise<BucketAside> {
    const { target } = this.#request
    const letters = await this.#letters.ofBucket(bucket)
    return {
      letters: target.kind === 'chosen' ? chooseLetters(letters, await target.letters(bucket)) : letters,
      accepted: await this.#letters.acceptedOf(bucket),
      doubt: await this.#selection.doubtOf(bucket),
    }
  }

  #wait(userId: string): void {
    this.#waiting.add(userBucket(userId), Buffer.from(userId))
    this.#counts.waiting++
  }

  #newHolding(): Holding {
    const { compiled, history } = this.#deps
    const eventsMax = this.#request.eventsHeldMax ?? EVENTS_HELD_MAX
    return new Holding({ compiled, history, tail: this.#tail, eventsMax })
  }

  #newSpool(): LineSpool {
    this.#spools++
    return new LineSpool(this.#deps.spoolDir, `run-${this.#spools}`)
  }

  #settling(predictor: SettleDependencies['predictor']): SettleDependencies {
    const { target, by, writesPerSecond, isGivenUp, onClosed } = this.#request
    return {
      ...this.#deps,
      predictor,
      tail: this.#tail,
      letters: this.#letters,
      pace: writePace(writesPerSecond, this.#deps),
      isIncluded: isIncluded(target),
      acceptedMs: target.kind === 'chosen' ? target.acceptedMs : undefined,
      isGivenUp,
      by,
      counts: this.#counts,
      onLetter: this.#onLetter,
      onClosed,
      onAgain: () => {
        this.#isAgain = true
      },
      onWritten: userId => this.#written.add(userBucket(userId), Buffer.from(userId)),
    }
  }
}

/** User ids have no line breaks. */
async function names(spool: LineSpool, bucket: number): Promise<readonly string[]> {
  const userIds = new Set<string>()
  for await (const line of spool.lines(bucket)) userIds.add(Buffer.from(line).toString('utf8'))
  return [...userIds]
}

function isIncluded(target: BackfillTarget): (letter: OpenLetter) => boolean {
  switch (target.kind) {
    case 'letters':
      return ({ reason }) => reason === target.reason
    case 'chosen':
      return ({ isChosen }) => isChosen === true
    default:
      return () => false
  }
}

function chooseLetters(
  letters: BucketAside['letters'],
  chosen: ReadonlyMap<string, ReadonlySet<string>>,
): BucketAside['letters'] {
  const mark = (letter: OpenLetter, keys: ReadonlySet<string>): OpenLetter =>
    keys.has(recordKey(letter)) ? { ...letter, isChosen: true } : letter
  return new Map(
    [...letters].map(([userId, own]) => {
      const keys = chosen.get(userId)
      return [userId, keys === undefined ? own : own.map(letter => mark(letter, keys))]
    }),
  )
}

function countLetters(
  { letters }: BucketAside,
  userIds: readonly string[],
  isWanted: (letter: OpenLetter) => boolean,
): number {
  return userIds.flatMap(userId => letters.get(userId) ?? []).filter(isWanted).length
}
