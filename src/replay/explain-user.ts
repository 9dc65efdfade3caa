// One user at an instant: what was known, each feature and the events that it is made of, what changes next, what the models of then
// said; and how all of that differs from an earlier instant. Everything is recomputed from history, nothing is taken from the item.
import type { History } from '../archive/history.ts'
import { batchIdTimeMs } from '../catalog/batch-id.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { PapersAt } from '../model/stand-ins.ts'
import { MillraceError } from '../platform/errors.ts'
import { userBucket } from '../platform/hash.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { SpillStore } from '../store/spill-store.ts'
import type { CorruptItem, StoredItem, UserStore } from '../store/user-item.ts'
import { explainMoment, type NextChange, nextChange, type UserMoment } from './explain-features.ts'
import {
  type ExplainedModel,
  modelsAt,
  type ModelsThen,
  type MovedModel,
  movedModels,
  type PredictWith,
} from './explain-models.ts'
import { type Move, movesBetween } from './explain-moves.ts'
import { compareStored, type StoredComparison } from './explain-stored.ts'
import { goneByEpoch } from './gone-shards.ts'
import { asideByBucket } from './verify-aside.ts'
import { isAside, type SetAside } from './verify-counted.ts'
import { firstOfEach, historyReader, type PastEvent } from './verify-history.ts'

export interface ExplainOptions {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly archive: ObjectStore
  readonly catalog: Pick<Catalog, 'history'>
  readonly openHistory: () => Promise<History>
  readonly predictWith: PredictWith
  readonly papersAt?: PapersAt | undefined
  readonly spills?: Pick<SpillStore, 'read'> | undefined
  /** A folder made and removed by the caller. */
  readonly spoolDir: string
  readonly userId: string
  readonly nowMs: number
  /** Undefined: now, and what is stored is compared. */
  readonly atMs: number | undefined
  /** An earlier instant, for the difference. */
  readonly sinceMs: number | undefined
}

export interface Explanation {
  readonly userId: string
  /** The instant that was asked for; the user is evaluated at its newest event, should that be later. */
  readonly askedMs: number
  readonly moment: UserMoment
  /** Events of the user that nobody counts: with an open dead letter, or given up by Lambda. */
  readonly setAside: number
  readonly next: NextChange | undefined
  readonly models: readonly ExplainedModel[]
  /** Undefined for another instant than now, and where there is no item. */
  readonly stored: StoredComparison | undefined
  readonly since: ExplainedSince | undefined
}

export interface ExplainedSince {
  readonly askedMs: number
  readonly moment: UserMoment
  readonly models: readonly ExplainedModel[]
  readonly moves: readonly Move[]
  readonly movedModels: readonly MovedModel[]
}

/** Throws MillraceError `user-not-found`, `archive-behind`, `user-unknown-then`, and what the ports throw. */
export async function explainUser(options: ExplainOptions): Promise<Explanation> {
  const { compiled, userId, nowMs, atMs: askedMs = nowMs } = options
  const facts = await gatherFacts(options)
  const { item, past, aside, positions } = facts
  if (past.length === 0 && item === undefined) throw notFound(userId)
  const set = compiled.pipeline.features
  const moment = explainMoment(set, knownAt(facts, askedMs), askedMs)
  if (moment.events.length === 0) throw unknownThen(facts, userId, askedMs)
  const then = await modelsAt(compiled, options, { moment, atMs: askedMs })
  const bench = { compiled, atMs: nowMs, positions, folded: undefined, isGone: goneByEpoch(positions) }
  return {
    userId,
    askedMs,
    moment,
    setAside: past.filter(one => isAside(one, aside)).length,
    next: nextChange(set, moment),
    models: then.models,
    stored:
      options.atMs !== undefined || item === undefined
        ? undefined
        : await compareStored({ item, past, aside, known: moment.events, serving: then.models }, bench, options),
    since:
      options.sinceMs === undefined
        ? undefined
        : await explainSince(options, facts, { ...then, moment }, options.sinceMs),
  }
}

interface Facts {
  readonly item: StoredItem | CorruptItem | undefined
  readonly past: readonly PastEvent[]
  readonly aside: SetAside
  readonly positions: ReadonlyMap<string, string>
}

/** The item first: what it contains, the archive has then or will soon have. */
async function gatherFacts(options: ExplainOptions): Promise<Facts> {
  const { users, archive, openHistory, userId, spoolDir, compiled } = options
  const item = await users.load(userId)
  const bucket = userBucket(userId)
  const history = await openHistory()
  const byBucket = await asideByBucket(archive, id => id === userId, spoolDir)
  try {
    const read = historyReader(compiled)
    const past: PastEvent[] = []
    for await (const record of history.bucket(bucket, { userIds: new Set([userId]) })) {
      const one = read(record)
      if (one?.event.userId === userId) past.push(one)
    }
    return { item, past, aside: await byBucket.inBucket(bucket), positions: history.positions }
  } finally {
    byBucket.remove()
    await history.close()
  }
}

/** What had arrived by then; of an import, what would have, or what was imported by then. */
function knownAt({ past, aside }: Facts, t: number): UserMoment['events'] {
  const known = past.filter(one => {
    const { origin } = one
    if (origin.kind === 'stream') return origin.arrivalMs <= t && !isAside(one, aside)
    return origin.arrivalMs <= t || (batchIdTimeMs(origin.batchId) ?? Number.POSITIVE_INFINITY) <= t
  })
  return firstOfEach(known)
}

async function explainSince(
  options: ExplainOptions,
  facts: Facts,
  after: ModelsThen & { readonly moment: UserMoment },
  askedMs: number,
): Promise<ExplainedSince> {
  const { compiled } = options
  const moment = explainMoment(compiled.pipeline.features, knownAt(facts, askedMs), askedMs)
  const moves = movesBetween(moment, after.moment)
  const before = await modelsAt(compiled, options, { moment, atMs: askedMs })
  const moved = await movedModels(compiled, { ...before, moment }, { ...after, moves })
  return { askedMs, moment, models: before.models, moves, movedModels: moved }
}

function notFound(userId: string): MillraceError {
  return new MillraceError(`There is no user ${userId}, and no event of one in history`, {
    code: 'user-not-found',
    next: 'Check the id and the stage; an event is in history about a minute after it came.',
  })
}

function unknownThen({ past }: Facts, userId: string, askedMs: number): MillraceError {
  if (past.length === 0) {
    return new MillraceError(`${userId} has an item, and the archive has no event of it yet`, {
      code: 'archive-behind',
      next: 'Ask again in a minute; if it stays, `millrace verify --user ID` says what is wrong.',
    })
  }
  const first = Math.min(...past.map(({ origin }) => origin.arrivalMs))
  return new MillraceError(
    `Nothing was known of ${userId} at ${toRfc3339(askedMs)}: its first event came at ${toRfc3339(first)}`,
    { code: 'user-unknown-then', next: 'Ask for a later instant with --at.' },
  )
}
