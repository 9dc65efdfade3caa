// A user made anew from history: state folded from nothing over the events that the item counts, as if the user had been followed
// by today's definitions from the first event on. Pure; what it does not know of the item it carries through.
import { DedupLedger, markKey, pruneMarks } from '../affected/decide.ts'
import { compareRecentIds, type DedupState, EMPTY_DEDUP, type TypeDedup } from '../affected/dedup-state.ts'
import type { DecodedEvent } from '../event/decoded-event.ts'
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import { evaluateFeatures } from '../features/evaluate.ts'
import type { FeaturesPlan } from '../features/plan.ts'
import { foldState, stateJson, type UserState } from '../features/state.ts'
import { byCodePoint } from '../platform/canonical-json.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { ItemBefore, NextItem } from '../recompute/plan-user.ts'
import { packDedup } from '../store/dedup-codec.ts'
import {
  type CountedEvents,
  countedEvents,
  eachOnce,
  type HistoryEvent,
  knownIds,
  recordKey,
} from './counted-events.ts'

export interface UserHistory {
  /** Every event of the user that there is, in any order, repeats and all. */
  readonly events: readonly HistoryEvent[]
  /** `recordKey` of those that have an open dead letter. */
  readonly openLetters: ReadonlySet<string>
  /** Those of them that are to be counted from now on. */
  readonly included: ReadonlySet<string>
}

/** The item as it was read; `content` undefined: there is none. */
export interface RebuildItem {
  readonly content: ItemBefore | undefined
  readonly imports: readonly string[]
}

export type Rebuilt =
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'rebuilt'; readonly next: NextItem; readonly imports: readonly string[] }

export function rebuildUser(compiled: CompiledPipeline, item: RebuildItem, history: UserHistory): Rebuilt {
  const { content } = item
  const dedup = coverKnown(coverIncluded(content?.dedup ?? EMPTY_DEDUP, history), history)
  const { reached, folded } = countedBy(dedup, history)
  const counted = eachOnce([...reached, ...folded])
  const imports = importsOf(history.events)
  if (content === undefined && counted.length === 0) return { outcome: 'unchanged' }
  const events = counted.map(({ event }) => event).sort(compareRecentIds)
  const { state, at } = foldState({
    plan: compiled.features,
    state: emptyState(compiled.features, content?.state ?? {}),
    previousAt: content?.at,
    previousVersion: content?.version,
    events,
  })
  const next: NextItem = {
    version: (content?.version ?? 0) + 1,
    at,
    dedup: rememberAll(compiled, dedup, events),
    state,
    features: evaluateFeatures(compiled.features, state, at, at),
  }
  const isSame = content !== undefined && isEqual(compiled.features, content, next)
  return isSame && isSameSet(item.imports, imports) ? { outcome: 'unchanged' } : { outcome: 'rebuilt', next, imports }
}

/** Batches of imported history that have an event of the user. */
function importsOf(events: readonly HistoryEvent[]): readonly string[] {
  return [...new Set(events.flatMap(({ batchId }) => batchId ?? []))].sort(byCodePoint)
}

function countedBy(dedup: DedupState, { events, openLetters, included }: UserHistory): CountedEvents {
  const stillOpen = [...openLetters].filter(key => !included.has(key))
  return countedEvents(events, { dedup, imports: new Set(importsOf(events)), openLetters: new Set(stillOpen) })
}

/** Marks reach as far as the records that are included: what is counted follows from the item alone. */
function coverIncluded(dedup: DedupState, { events, included }: UserHistory): DedupState {
  return cover(
    dedup,
    events.flatMap(({ record }) => (record !== undefined && included.has(recordKey(record)) ? [record] : [])),
  )
}

/**
 * An event that the item knows and has reached nowhere came with an import that is withdrawn, or from a letter that is still open.
 * Where the stream brought it too, as a duplicate then, which advanced no mark, it is counted from there now; else from the letter.
 */
function coverKnown(dedup: DedupState, history: UserHistory): DedupState {
  const { openLetters, included } = history
  const reached = new Set(countedBy(dedup, history).reached.map(({ event }) => event.idHash))
  const known = knownIds(dedup)
  const records = history.events.flatMap(({ record, event: { idHash } }) => {
    if (record === undefined || (openLetters.has(recordKey(record)) && !included.has(recordKey(record)))) return []
    return known.has(idHash) && !reached.has(idHash) ? [record] : []
  })
  const covered = cover(dedup, records)
  // Once their letters are closed they are counted by the marks alone.
  return cover(
    covered,
    countedBy(covered, history).folded.flatMap(({ record }) => record ?? []),
  )
}

function cover(dedup: DedupState, records: readonly StreamRecord[]): DedupState {
  if (records.length === 0) return dedup
  const marks = new Map(dedup.marks)
  for (const record of records) {
    const { sequence, arrivalMs } = record
    if (arrivalMs < (dedup.settledMs ?? 0)) continue
    const mark = marks.get(markKey(record))
    if (mark !== undefined && compareSequences(sequence, mark.sequence) <= 0) continue
    marks.set(markKey(record), { sequence, arrivalMs })
  }
  return { types: dedup.types, ...pruneMarks(marks, dedup.settledMs) }
}

/** Known entries begin anew, with the user's whole life before them; the others are those of the item. */
function emptyState(plan: FeaturesPlan, before: UserState): UserState {
  const state: UserState = {}
  for (const [key, entry] of Object.entries(before)) if (!plan.states.has(key)) state[key] = { ...entry }
  for (const key of plan.states.keys()) state[key] = { whole: 1 }
  return state
}

/** Every id above the floor, and a floor that never goes back. `events` ascend by (ts, id). */
function rememberAll({ latenessMs }: CompiledPipeline, dedup: DedupState, events: readonly DecodedEvent[]): DedupState {
  const floors = new Map([...dedup.types].map(([name, { floor }]) => [name, { ids: [], floor }]))
  const ledger = new DedupLedger({ ...dedup, types: floors })
  // Without their records: marks stand where they shall already.
  for (const event of events) ledger.decide(event, undefined)
  const { types, ...rest } = ledger.close(latenessMs)
  const isOfUse = ({ ids, floor }: TypeDedup): boolean => ids.length > 0 || floor !== undefined
  return { ...rest, types: new Map([...types].filter(([, type]) => isOfUse(type))) }
}

/** What only other code knows of the state does not count: that this code left it behind is no reason to write. */
function isEqual(plan: FeaturesPlan, before: ItemBefore, next: NextItem): boolean {
  if (before.at !== next.at) return false
  if (!Buffer.from(packDedup(before.dedup)).equals(packDedup(next.dedup))) return false
  return knownJson(plan, before.state) === knownJson(plan, next.state)
}

function knownJson(plan: FeaturesPlan, state: UserState): string {
  return stateJson(Object.fromEntries(Object.entries(state).filter(([key]) => plan.states.has(key))))
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every(value => b.includes(value))
}
