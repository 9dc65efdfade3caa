// Dead letters sent again, without the stream: what an item can take is folded as if it were delivered now, what only history can
// tell is counted by rebuilding its user from the archive, and what is refused again stays as it is. A letter is closed after its
// event is in the item, so a run that dies is run again: what it finds folded it closes.
import { closeRecords } from '../archive/closed-letters.ts'
import { GIVEN_UP } from '../archive/given-up.ts'
import type { History } from '../archive/history.ts'
import type { Clock } from '../platform/clock.ts'
import { userBucket } from '../platform/hash.ts'
import { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { writePace } from '../platform/pace.ts'
import { backfill } from './backfill.ts'
import type { BackfillCounts } from './backfill-settle.ts'
import { recordKey } from './counted-events.ts'
import { writeRefused } from './refuse-given-up.ts'
import {
  type ChosenLetter,
  chosenLetters,
  type LetterChoice,
  letterBatches,
  spoolChosen,
} from './replay-letters-choice.ts'
import { type ReasonCounts, ReplayTally } from './replay-letters-counts.ts'
import { type EndedLetter, type FoldDependencies, foldLetters, forgottenLetters } from './replay-letters-fold.ts'

export interface ReplayRequest {
  readonly choice: LetterChoice
  /** Letters that are ahead of their arrival are judged by the instant of the replay. */
  readonly isFutureAccepted?: boolean
  readonly writesPerSecond?: number | undefined
  /** For the archive, where a user must be rebuilt whose newest events it does not have yet. */
  readonly waitMs: number
  /** What closed letters say. */
  readonly by: string
  /** After each batch: how many letters are done, of how many. */
  readonly onProgress?: (done: number, total: number) => void
  /** Of a batch, for tests. */
  readonly recordsMax?: number
}

export interface ReplayDependencies extends Omit<FoldDependencies, 'pace' | 'acceptedMs'> {
  readonly archive: ObjectStore
  /** A view of now; closed by whoever opened it. */
  readonly openHistory: () => Promise<History>
  readonly clock: Clock
  /** Made and removed by the caller. */
  readonly spoolDir: string
}

export interface ReplayReport {
  readonly letters: number
  readonly byReason: Readonly<Record<string, Readonly<ReasonCounts>>>
  /** Of the users that had to be rebuilt; undefined: nobody had to be. */
  readonly rebuild: BackfillCounts | undefined
}

/** Throws StoreError, CatalogError, ObjectStoreError, ArchiveError: what was closed until then is done. */
export async function replayLetters(request: ReplayRequest, deps: ReplayDependencies): Promise<ReplayReport> {
  const run = new Replay(request, deps)
  try {
    return await run.run()
  } finally {
    run.remove()
  }
}

class Replay {
  readonly #request: ReplayRequest
  readonly #deps: ReplayDependencies
  readonly #acceptedMs: number | undefined
  readonly #tally = new ReplayTally()
  readonly #chosen: LineSpool
  /** By bucket, [user, letter]: who is rebuilt, and what is counted then. */
  readonly #rebuilds: LineSpool

  constructor(request: ReplayRequest, deps: ReplayDependencies) {
    this.#request = request
    this.#deps = deps
    // One instant for the whole run, so that what it closes can be judged alike for ever.
    this.#acceptedMs = request.isFutureAccepted === true ? deps.clock() : undefined
    this.#chosen = new LineSpool(deps.spoolDir, 'replay')
    this.#rebuilds = new LineSpool(deps.spoolDir, 'rebuilds')
  }

  async run(): Promise<ReplayReport> {
    const letters = await spoolChosen(this.#chosen, this.#request.choice, this.#deps)
    const pace = writePace(this.#request.writesPerSecond, this.#deps)
    const fold: FoldDependencies = { ...this.#deps, pace, acceptedMs: this.#acceptedMs }
    let done = 0
    for await (const batch of letterBatches(chosenLetters(this.#chosen), this.#request.recordsMax)) {
      await this.#end(await foldLetters(batch, fold))
      done += batch.length
      this.#request.onProgress?.(done, letters)
    }
    const rebuild = this.#rebuilds.slots().length === 0 ? undefined : await this.#rebuild()
    return { letters, byReason: this.#tally.counts(), rebuild }
  }

  remove(): void {
    this.#chosen.remove()
    this.#rebuilds.remove()
  }

  async #end(ended: readonly EndedLetter[]): Promise<void> {
    const { archive } = this.#deps
    const folded = ended.filter(({ end }) => end === 'folded')
    await closeRecords(archive, 'closed', { records: folded.map(({ letter }) => letter.record), by: this.#request.by })
    const refused = ended.filter(({ letter, end }) => end === 'refused' && letter.reason === GIVEN_UP)
    await writeRefused(
      refused.map(({ letter }) => letter),
      this.#deps,
    )
    for (const { letter, end, refusal } of ended) {
      this.#tally.end(letter.reason, end, refusal)
      if (end === 'rebuild' || end === 'duplicate') this.#rebuildLater(letter)
    }
    // Asked once they are closed: from now on a rebuild counts them.
    for (const letter of await forgottenLetters(folded, this.#deps)) this.#rebuildLater(letter)
  }

  #rebuildLater({ record }: ChosenLetter): void {
    const line = JSON.stringify([record.partitionKey, recordKey(record)])
    this.#rebuilds.add(userBucket(record.partitionKey), Buffer.from(line))
  }

  async #rebuild(): Promise<BackfillCounts> {
    const { writesPerSecond, waitMs, by } = this.#request
    const target = {
      kind: 'chosen',
      letters: async (bucket: number) => lettersByUser(this.#rebuilds, bucket),
      acceptedMs: this.#acceptedMs,
    } as const
    const history = await this.#deps.openHistory()
    try {
      return await backfill(
        {
          target,
          writesPerSecond,
          waitMs,
          by,
          onClosed: letters => {
            for (const { reason } of letters) this.#tally.rebuilt(reason)
          },
        },
        { ...this.#deps, history },
      )
    } finally {
      await history.close()
    }
  }
}

async function lettersByUser(spool: LineSpool, bucket: number): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const byUser = new Map<string, Set<string>>()
  for await (const line of spool.lines(bucket)) {
    const [userId, key] = JSON.parse(Buffer.from(line).toString('utf8')) as readonly [string, string]
    const own = byUser.get(userId)
    if (own === undefined) byUser.set(userId, new Set([key]))
    else own.add(key)
  }
  return byUser
}
