// What must hold at every single commit and read, whatever else is going on: versions go up by one, marks and floors never back, a
// function touches the users of its batch and nobody else, and what a GET answers was committed while it was asked.
import { compareRecentIds, type DedupState } from '../../src/affected/dedup-state.ts'
import { compareSequences } from '../../src/event/stream-record.ts'
import { type Attributes, fromAttributes } from '../../src/store/dynamodb-attributes.ts'
import { decodeItem, isUnreadable, readBody } from '../../src/store/item-codec.ts'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import type { PredictionsBody } from '../../src/predictions/evaluated-user.ts'
import { isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import { predictionProblem } from './check-answer.ts'
import type { Commit } from './simulated-dynamodb.ts'

/** A promise of the product is broken. */
export class Broken extends Error {}

export interface CommittedItem {
  readonly fromMs: number
  /** Until the next commit of the user. */
  untilMs: number
  readonly item: StoredItem
}

interface ReadableItem {
  readonly stored: StoredItem
  readonly dedup: DedupState
  readonly state: Readonly<Record<string, unknown>>
  readonly bodies: { readonly features: FeaturesBody; readonly predictions: PredictionsBody }
}

/** What was committed is read again when it is written over, and nobody changes it in between. */
const read = new WeakMap<Attributes, ReadableItem | 'damaged'>()

/** Undefined where it is damaged. */
export function readable(attributes: Attributes): ReadableItem | undefined {
  const known = read.get(attributes) ?? readItem(attributes) ?? 'damaged'
  read.set(attributes, known)
  return known === 'damaged' ? undefined : known
}

function readItem(attributes: Attributes): ReadableItem | undefined {
  const item = fromAttributes(attributes)
  if (isCorrupt(item)) return undefined
  const decoded = decodeItem(item)
  const [ft, pr] = [readBody(item, 'ft'), readBody(item, 'pr')]
  if (isUnreadable(decoded) || 'reason' in ft || 'reason' in pr) return undefined
  const bodies = { features: ft.body as unknown as FeaturesBody, predictions: pr.body as unknown as PredictionsBody }
  return { stored: item, dedup: decoded.dedup, state: decoded.state, bodies }
}

/** Throws Broken. `isRebuilt`: floors of a user that is made anew come from its events and not from the item. */
export function checkCommit({ userId, before, after, by }: Commit, isRebuilt: boolean): void {
  const was = before === undefined ? 0 : Number(before['v']?.N)
  const is = Number(after['v']?.N)
  if (is !== was + 1 && !isRebuilt) throw new Broken(`${by.name} put version ${is} of ${userId} over ${was}`)
  const item = readable(after)
  if (item === undefined) throw new Broken(`${by.name} put an item of ${userId} that cannot be read`)
  const wrong = predictionProblem(item.bodies)
  if (wrong !== undefined) throw new Broken(`${by.name} put an item of ${userId} in which ${wrong}`)
  const previous = before === undefined ? undefined : readable(before)
  if (previous === undefined) return
  const dropped = Object.keys(previous.state).filter(key => !(key in item.state))
  if (dropped.length > 0) throw new Broken(`${by.name} dropped state ${dropped.join(', ')} of ${userId}`)
  checkDedup(previous.dedup, item.dedup, `${by.name} took back, of ${userId}, `)
}

function checkDedup(previous: DedupState, next: DedupState, what: string): void {
  for (const [shard, mark] of previous.marks) {
    const now = next.marks.get(shard)
    const isPruned = now === undefined && (next.settledMs ?? 0) > mark.arrivalMs
    if (!isPruned && (now === undefined || compareSequences(now.sequence, mark.sequence) < 0)) {
      throw new Broken(`${what}the mark of ${shard} from ${mark.sequence}`)
    }
  }
  for (const [type, { floor }] of previous.types) {
    const now = next.types.get(type)?.floor
    if (floor !== undefined && (now === undefined || compareRecentIds(now, floor) < 0)) {
      throw new Broken(`${what}the floor of ${type} from ${floor.ts}`)
    }
  }
}

/** Every version of every user, for who must know what was there when. */
export class CommittedItems {
  readonly #byUser = new Map<string, CommittedItem[]>()

  add(userId: string, attributes: Attributes, nowMs: number): void {
    const item = fromAttributes(attributes)
    if (isCorrupt(item)) return
    const versions = this.#byUser.get(userId) ?? []
    const last = versions.at(-1)
    if (last !== undefined) last.untilMs = nowMs
    versions.push({ fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY, item })
    this.#byUser.set(userId, versions)
  }

  /** Versions that were current at some moment of the span. */
  between(userId: string, fromMs: number, toMs: number): readonly StoredItem[] {
    const versions = this.#byUser.get(userId) ?? []
    return versions.filter(version => version.fromMs <= toMs && version.untilMs >= fromMs).map(({ item }) => item)
  }

  of(userId: string): readonly CommittedItem[] {
    return this.#byUser.get(userId) ?? []
  }
}
