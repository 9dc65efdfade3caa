// One decision per event: folded once. The set of recent ids is complete above the floor, so membership decides there and
// the shard's mark is asked only below it. The order of the four questions is the guarantee; docs/architecture.md
// says why.
import type { DecodedEvent } from '../event/decoded-event.ts'
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import { compareRecentIds, type DedupState, type Mark, type RecentId, type TypeDedup } from './dedup-state.ts'

export type Decision = 'fold' | 'duplicate' | 'below-floor' | 'late'

/** Most ids kept per user and type; about 12 bytes each. A smaller set costs visible `late` letters, never a wrong number. */
export const RECENT_IDS_MAX = 128
/** Most shards an item remembers; the one whose mark arrived first is pruned. */
export const MARKS_MAX = 16

/** So often in a batch, looking through the ids costs less than making a set of them, however many they are. */
const LOOKS_MAX = 12

interface WorkingType {
  readonly ids: RecentId[]
  looks: number
  /** Of all ids, once they have been looked through often. */
  hashes: Set<string> | undefined
  floor: RecentId | undefined
}

interface WorkingShard {
  readonly of: StreamRecord
  readonly key: string
  mark: Mark | undefined
  /** The same mark, once it is this ledger's to move. */
  own: { sequence: string; arrivalMs: number } | undefined
}

/** The decisions of one batch for one user; ask `decide` per record in sequence order, then `close` once. */
export class DedupLedger {
  readonly #types = new Map<string, WorkingType>()
  readonly #before: DedupState
  readonly #marks: Map<string, Mark>
  /** That was asked of last: records of a batch are mostly of one. */
  #shard: WorkingShard | undefined

  constructor(before: DedupState) {
    this.#before = before
    this.#marks = new Map(before.marks)
  }

  /** Decides, and where the answer is `fold` remembers the event. `record` is absent for imported history. */
  decide(event: DecodedEvent, record: StreamRecord | undefined): Decision {
    const type = this.#type(event.type)
    if (hasId(type, event.idHash)) return 'duplicate'
    const id: RecentId = { ts: event.ts, idHash: event.idHash }
    if (type.floor !== undefined && compareRecentIds(id, type.floor) <= 0) {
      return record !== undefined && this.#isMarked(record) ? 'below-floor' : 'late'
    }
    type.hashes?.add(event.idHash)
    insertSorted(type.ids, id)
    if (record !== undefined) this.#advance(record)
    return 'fold'
  }

  /** Evicts what is too old or too many. Done once a batch, so that a batch's own late events still find their place. */
  close(latenessMs: (type: string) => number, idsMax: number = RECENT_IDS_MAX): DedupState {
    const types = new Map<string, TypeDedup>(this.#before.types)
    for (const [name, type] of this.#types) {
      evict(type, latenessMs(name), idsMax)
      types.set(name, { ids: type.ids, floor: type.floor })
    }
    return { types, ...pruneMarks(this.#marks, this.#before.settledMs) }
  }

  #type(name: string): WorkingType {
    let type = this.#types.get(name)
    if (type === undefined) {
      const before = this.#before.types.get(name)
      type = { ids: before === undefined ? [] : [...before.ids], looks: 0, hashes: undefined, floor: before?.floor }
      this.#types.set(name, type)
    }
    return type
  }

  /** Up to the mark of its shard, or of what marks stood for that were pruned. */
  #isMarked(record: StreamRecord): boolean {
    if (record.arrivalMs < (this.#before.settledMs ?? 0)) return true
    return isUpTo(this.#shardOf(record).mark, record)
  }

  #shardOf(record: StreamRecord): WorkingShard {
    const known = this.#shard
    if (known !== undefined && known.of.shard === record.shard && known.of.stream === record.stream) return known
    const key = markKey(record)
    this.#shard = { of: record, key, mark: this.#marks.get(key), own: undefined }
    return this.#shard
  }

  #advance(record: StreamRecord): void {
    const shard = this.#shardOf(record)
    if (isUpTo(shard.mark, record)) return
    const { sequence, arrivalMs } = record
    if (shard.own === undefined) {
      shard.own = { sequence, arrivalMs }
      shard.mark = shard.own
      this.#marks.set(shard.key, shard.own)
    } else {
      shard.own.sequence = sequence
      shard.own.arrivalMs = arrivalMs
    }
  }
}

function isUpTo(mark: Mark | undefined, { sequence }: StreamRecord): boolean {
  return mark !== undefined && compareSequences(sequence, mark.sequence) <= 0
}

/** The state with at most so many ids a type; what is let go raises the floor. */
export function trimIds(state: DedupState, idsMax: number = RECENT_IDS_MAX): DedupState {
  const types = new Map<string, TypeDedup>()
  for (const [name, { ids, floor }] of state.types) {
    const type = { ids: [...ids], floor }
    evict(type, Number.POSITIVE_INFINITY, idsMax)
    types.set(name, { ids: type.ids, floor: type.floor })
  }
  return { ...state, types }
}

export function markKey(record: Pick<StreamRecord, 'stream' | 'shard'>): string {
  return `${record.stream}/${record.shard}`
}

function hasId(type: WorkingType, idHash: string): boolean {
  const { ids } = type
  if (type.looks++ < LOOKS_MAX) {
    // Two texts that are parts of longer ones are slow to compare; all but one in sixteen end in another digit.
    const last = idHash.length - 1
    const digit = idHash.charCodeAt(last)
    for (const id of ids) if (id.idHash.charCodeAt(last) === digit && id.idHash === idHash) return true
    return false
  }
  type.hashes ??= new Set(ids.map(id => id.idHash))
  return type.hashes.has(idHash)
}

function insertSorted(ids: RecentId[], id: RecentId): void {
  let index = ids.length
  while (index > 0 && compareRecentIds(ids[index - 1] as RecentId, id) > 0) index--
  // Most come in order.
  if (index === ids.length) ids.push(id)
  else ids.splice(index, 0, id)
}

function evict(type: Pick<WorkingType, 'ids' | 'floor'>, latenessMs: number, idsMax: number): void {
  const newest = type.ids.at(-1)
  if (newest === undefined) return
  let evicted = Math.max(0, type.ids.length - idsMax)
  while ((type.ids[evicted] as RecentId).ts < newest.ts - latenessMs) evicted++
  const highest = type.ids[evicted - 1]
  if (highest === undefined) return
  type.ids.splice(0, evicted)
  // Everything kept is above the floor, so the highest evicted is the new floor.
  type.floor = highest
}

/** At most MARKS_MAX marks. What a pruned one stood for is settled, its own record too, which arrived at that very instant. */
export function pruneMarks(
  marks: ReadonlyMap<string, Mark>,
  settledMs: number | undefined,
): Pick<DedupState, 'marks' | 'settledMs'> {
  if (marks.size <= MARKS_MAX) return { marks, settledMs }
  const oldestFirst = [...marks].sort(([, a], [, b]) => a.arrivalMs - b.arrivalMs)
  const pruned = oldestFirst.slice(0, marks.size - MARKS_MAX)
  const settled = Math.max(settledMs ?? 0, ...pruned.map(([, mark]) => mark.arrivalMs + 1))
  return { marks: new Map(oldestFirst.slice(pruned.length)), settledMs: settled }
}
