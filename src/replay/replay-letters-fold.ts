// One batch of letters through the product itself: the records as they were delivered, with their streams, shards and sequences, so
// that the item recognises what it has. What became of each is read off what was refused, and off the items that puts were made from.
import { affectedUsers } from '../affected/affected-users.ts'
import { DedupLedger } from '../affected/decide.ts'
import { type DedupState, EMPTY_DEDUP } from '../affected/dedup-state.ts'
import { hasUnknownEpoch } from '../archive/given-up-epoch.ts'
import { checkArrival } from '../event/arrival.ts'
import type { Refusal } from '../event/decoded-event.ts'
import type { Sleep } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import { fullJitterMs } from '../platform/retry.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { Predictor } from '../predictions/predictor.ts'
import { readItem } from '../recompute/item-content.ts'
import { recomputeBatch } from '../recompute/recompute-batch.ts'
import type { SpillStore } from '../store/spill-store.ts'
import { type CorruptItem, isCorrupt, KEYS_PER_READ_MAX, type StoredItem, type UserStore } from '../store/user-item.ts'
import { judgedAt, knownIds, recordEvent, recordKey } from './counted-events.ts'
import type { ChosenLetter } from './replay-letters-choice.ts'
import type { LetterEnd } from './replay-letters-counts.ts'

export interface FoldDependencies {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly predictor: Predictor
  readonly spills?: SpillStore | undefined
  readonly random: Random
  readonly sleep: Sleep
  /** Awaited before each write. */
  readonly pace: () => Promise<void>
  /** What is ahead of its arrival is judged by this instant, ms. */
  readonly acceptedMs: number | undefined
}

export interface EndedLetter {
  readonly letter: ChosenLetter
  readonly end: LetterEnd
  readonly refusal?: Refusal
  /** Of a folded one: of the item that it was folded into. */
  readonly version?: number
}

/** Users that could not be written are tried again this often; then their letters stay open. */
const TRIES_MAX = 3
const RETRY_BASE_MS = 200
const RETRY_CAP_MS = 5000
/** Nobody waits for an answer. */
const UNLIMITED_MS = 15 * 60_000

/** Throws what the store throws where nothing of the batch could be done. */
export async function foldLetters(
  letters: readonly ChosenLetter[],
  deps: FoldDependencies,
): Promise<readonly EndedLetter[]> {
  const ended: EndedLetter[] = []
  let waiting = letters.filter(letter => {
    const end = withoutFold(letter, deps)
    if (end !== undefined) ended.push({ letter, end })
    return end === undefined
  })
  for (let tries = 1; waiting.length > 0; tries++) {
    const { done, failed, errors } = await foldOnce(waiting, deps)
    ended.push(...done)
    if (tries >= TRIES_MAX && done.length === 0 && ended.length === 0 && failed.length > 0) throw errors[0]
    if (tries >= TRIES_MAX || failed.length === 0) {
      ended.push(...failed.map(letter => ({ letter, end: 'left' }) as const))
      return ended
    }
    waiting = [...failed]
    await deps.sleep(fullJitterMs(tries, { baseMs: RETRY_BASE_MS, capMs: RETRY_CAP_MS, random: deps.random }))
  }
  return ended
}

/** Where a letter ends that no item is asked about; undefined: an item is. */
export function withoutFold(
  { record }: ChosenLetter,
  { compiled, acceptedMs }: Pick<FoldDependencies, 'compiled' | 'acceptedMs'>,
): 'left' | 'rebuild' | undefined {
  // Its mark would be one that nothing else of the stream has.
  if (hasUnknownEpoch(record)) return 'left'
  if (acceptedMs === undefined) return undefined
  const read = recordEvent(record, compiled)
  if ('reason' in read || read.isAhead !== true) return undefined
  // A fold would judge it by its arrival; a rebuild judges it as all later ones will.
  return checkArrival(read.event, judgedAt(record, acceptedMs)) === undefined ? 'rebuild' : undefined
}

interface FoldedOnce {
  readonly done: readonly EndedLetter[]
  readonly failed: readonly ChosenLetter[]
  readonly errors: readonly unknown[]
}

async function foldOnce(letters: readonly ChosenLetter[], deps: FoldDependencies): Promise<FoldedOnce> {
  const refusals = new Map<string, Refusal>()
  const doubtful = new Set<string>()
  const watch = new WatchedUsers(deps)
  const { errors } = await recomputeBatch(
    letters.map(({ record }) => record),
    {
      ...deps,
      users: watch.users,
      // They have their letters, and doubt is settled by the rebuild at once.
      aside: {
        writeDeadLetters: async refused => {
          for (const { record, refusal } of refused) refusals.set(recordKey(record), refusal)
        },
        writeDoubt: async records => {
          for (const { record } of records) doubtful.add(recordKey(record))
        },
      },
      remainingMs: () => UNLIMITED_MS,
    },
  )
  const folded = watch.folded(letters)
  const [done, failed]: [EndedLetter[], ChosenLetter[]] = [[], []]
  for (const letter of letters) {
    const key = recordKey(letter.record)
    const [refusal, version] = [refusals.get(key), folded.get(key)]
    if (refusal !== undefined && refusal.reason !== 'late') done.push({ letter, end: 'refused', refusal })
    else if (refusal !== undefined || doubtful.has(key)) done.push({ letter, end: 'rebuild' })
    else if (version !== undefined) done.push({ letter, end: 'folded', version })
    else if (errors.length > 0 && !watch.isWritten(letter)) failed.push(letter)
    else done.push({ letter, end: 'duplicate' })
  }
  return { done, failed, errors }
}

/** The store as a batch sees it: which item each put was made from, so that its decisions can be told, and the pace. */
class WatchedUsers {
  readonly users: UserStore
  readonly #compiled: CompiledPipeline
  readonly #seen = new Map<string, StoredItem | CorruptItem | undefined>()
  readonly #written = new Map<string, { readonly before: DedupState; readonly version: number }>()

  constructor({ users, compiled, pace }: FoldDependencies) {
    this.#compiled = compiled
    this.users = {
      ...users,
      loadMany: async userIds => {
        const items = await users.loadMany(userIds)
        for (const userId of userIds) this.#seen.set(userId, items.get(userId))
        return items
      },
      load: async userId => {
        const item = await users.load(userId)
        this.#seen.set(userId, item)
        return item
      },
      put: async (item, expected) => {
        await pace()
        const before = this.#seen.get(item.userId)
        const put = await users.put(item, expected)
        if (put.outcome === 'written') this.#note(item, before)
        else this.#seen.set(item.userId, put.current)
        return put
      },
    }
  }

  isWritten({ record }: ChosenLetter): boolean {
    return this.#written.has(record.partitionKey)
  }

  /** `recordKey` of each letter that a put of ours has folded → the version of that put. */
  folded(letters: readonly ChosenLetter[]): ReadonlyMap<string, number> {
    const folded = new Map<string, number>()
    const { byUser } = affectedUsers(
      letters.map(({ record }) => record),
      this.#compiled.contracts,
    )
    for (const [userId, records] of byUser) {
      const written = this.#written.get(userId)
      if (written === undefined) continue
      const ledger = new DedupLedger(written.before)
      for (const { event, record } of records) {
        if (ledger.decide(event, record) === 'fold') folded.set(recordKey(record), written.version)
      }
    }
    return folded
  }

  #note({ userId, v: version }: StoredItem, before: StoredItem | CorruptItem | undefined): void {
    const read = readItem(this.#compiled.features, before)
    if (read.outcome !== 'corrupt') this.#written.set(userId, { before: read.content?.dedup ?? EMPTY_DEDUP, version })
  }
}

/**
 * Folded letters of which their items do not tell any more that they have them: neither is an item as the fold left it, nor does it
 * know the event's id. A rebuild that still saw the letter open may have come between.
 */
export async function forgottenLetters(
  folded: readonly EndedLetter[],
  { users, compiled }: Pick<FoldDependencies, 'users' | 'compiled'>,
): Promise<readonly ChosenLetter[]> {
  const items = new Map<string, StoredItem | CorruptItem>()
  const names = [...new Set(folded.map(({ letter }) => letter.record.partitionKey))]
  for (let from = 0; from < names.length; from += KEYS_PER_READ_MAX) {
    const page = await users.loadMany(names.slice(from, from + KEYS_PER_READ_MAX))
    for (const [userId, item] of page) items.set(userId, item)
  }
  return folded.flatMap(({ letter, version }) => {
    const item = items.get(letter.record.partitionKey)
    if (item !== undefined && !isCorrupt(item) && item.v === version) return []
    const [read, event] = [readItem(compiled.features, item), recordEvent(letter.record, compiled)]
    const known = read.outcome === 'read' ? knownIds(read.content.dedup) : new Set<string>()
    return 'reason' in event || known.has(event.event.idHash) ? [] : [letter]
  })
}
