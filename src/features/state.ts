// A user's state: JSON that is folded in place, so that reading it costs one parse and writing it one stringify. The same
// events in any order give the same JSON: where a tile stands follows from its time and the newest event time alone.
import type { DecodedEvent } from '../event/decoded-event.ts'
import { DAY_MS } from '../platform/duration.ts'
import { accumulate, type Cell } from './aggregators/aggregator.ts'
import { compareEdges, type EdgeEvent } from './aggregators/edge-events.ts'
import type { FeaturesPlan, StatePlan, Tier } from './plan.ts'
import { areTiles, mergeIntoTiles, takeOldest, type Tiles } from './tiles.ts'
import { holds } from './where.ts'
import { floorTo, windowStart } from './windows.ts'

export interface StateEntry {
  /** Tiles are complete from this instant; absent: from the user's first event. */
  since?: number
  /** Present where `all` and the tiles together hold the user's whole life. */
  whole?: 1
  /** The `v` of the last write by code that knew this entry; absent: the item's own. */
  seen?: number
  /** With `seen`: the newest event time when it was left behind. */
  left?: number
  m?: Tiles
  q?: Tiles
  h?: Tiles
  d?: Tiles
  x?: Tiles
  /** Everything older than the tiles, where a feature covers the whole life. */
  all?: Cell
  /** [ts, id hash, value] of the newest event. */
  newest?: EdgeEvent
  /** The same of the newest k events, newest first, where k is above 1. */
  recent?: readonly EdgeEvent[]
}

export type UserState = Record<string, StateEntry>

export interface FoldInput {
  readonly plan: FeaturesPlan
  /** Of the item as it was read; folded in place. Undefined: a new user. */
  readonly state: UserState | undefined
  readonly previousAt: number | undefined
  readonly previousVersion: number | undefined
  /** Each decided to be folded, in any order. */
  readonly events: readonly DecodedEvent[]
}

/** Folds the events and brings every known entry to its canonical form at the newest event time. */
export function foldState(input: FoldInput): { readonly state: UserState; readonly at: number } {
  const { plan, events } = input
  let at = input.previousAt ?? 0
  for (const event of events) if (event.ts > at) at = event.ts
  const state = input.state ?? {}
  leaveUnknownBehind(state, plan, input.previousVersion, at)
  const isNewUser = input.previousAt === undefined
  for (const statePlan of plan.states.values()) {
    const known = state[statePlan.key]
    const entry = known === undefined || known.seen !== undefined ? freshEntry(input.previousAt, isNewUser) : known
    state[statePlan.key] = entry
    foldEntry(statePlan, entry, events, at)
  }
  return { state, at }
}

/** An entry for an item that was written without it is complete only after everything folded so far. */
export function freshEntry(previousAt: number | undefined, isNewUser: boolean): StateEntry {
  return isNewUser || previousAt === undefined ? { whole: 1 } : { since: previousAt + 1 }
}

/** How long state that no definition knows any more is carried, of event time: a rollback within it loses nothing. */
const UNKNOWN_GRACE_MS = 14 * DAY_MS

function leaveUnknownBehind(
  state: UserState,
  plan: FeaturesPlan,
  previousVersion: number | undefined,
  at: number,
): void {
  for (const key in state) {
    const entry = state[key]
    if (entry === undefined || plan.states.has(key)) continue
    if (entry.seen === undefined) {
      entry.seen = previousVersion ?? 0
      entry.left = at
    } else if (at - (entry.left ?? at) > UNKNOWN_GRACE_MS) delete state[key]
  }
}

function foldEntry(plan: StatePlan, entry: StateEntry, events: readonly DecodedEvent[], at: number): void {
  const splits = plan.tiers.map(tier => splitFrom(tier, at))
  rollUp(plan, entry, splits, at)
  for (const event of events) if (event.type === plan.eventType) foldEvent(plan, entry, event, splits)
}

function foldEvent(plan: StatePlan, entry: StateEntry, event: DecodedEvent, splits: readonly number[]): void {
  if (plan.where.length > 0 && !holds(plan.where, event.fields)) return
  const value = plan.field === undefined ? null : (event.fields.get(plan.field) ?? null)
  if (plan.field !== undefined && value === null) return
  if (plan.byField !== undefined && (event.fields.get(plan.byField) ?? null) === null) return
  if (plan.newestK > 0) {
    foldNewest(entry, plan.newestK, [event.ts, event.idHash, value])
    return
  }
  const cell = plan.aggregator.cellOf(value, event)
  for (const [index, tier] of plan.tiers.entries()) {
    if (!tier.isFolded) continue
    const start = floorTo(event.ts, tier.ms)
    if (start < (splits[index] ?? 0)) continue
    mergeIntoTiles(plan.aggregator, (entry[tier.key] ??= [[], []]), start / tier.ms, cell)
    return
  }
  if (plan.hasLifetime) entry.all = accumulate(plan.aggregator, entry.all, cell, 0)
}

function foldNewest(entry: StateEntry, k: number, edge: EdgeEvent): void {
  if (k === 1) {
    if (entry.newest === undefined || compareEdges(edge, entry.newest) > 0) entry.newest = edge
  } else {
    entry.recent = [...(entry.recent ?? []), edge].sort((a, b) => compareEdges(b, a)).slice(0, k)
  }
}

/** The newest k events that the entry has, newest first. */
export function newestOf({ newest, recent }: StateEntry, k: number): readonly EdgeEvent[] {
  if (k > 1) return recent ?? []
  return newest === undefined ? [] : [newest]
}

/** Tiles that end by this instant stand one level coarser: no window can still tell them apart. */
function splitFrom({ splitBy, coarser }: Tier, at: number): number {
  let earliest = Number.POSITIVE_INFINITY
  for (const window of splitBy) earliest = Math.min(earliest, windowStart(window, at))
  return coarser === undefined ? earliest : floorTo(earliest, coarser.ms)
}

/** Moves tiles that no window needs as fine any more to a coarser level, and drops what no window counts any more. */
function rollUp(plan: StatePlan, entry: StateEntry, splits: readonly number[], at: number): void {
  if (plan.newestK > 0) {
    delete entry.whole
    return
  }
  for (const [index, tier] of plan.tiers.entries()) {
    const tiles = entry[tier.key]
    if (tiles !== undefined) promote(plan, entry, { tiles, tier, from: splits[index] ?? 0 })
  }
  // The coarsest level's own: what any window may still count. Without windows, nothing that was folded until now.
  const from = plan.windows.length === 0 ? at + 1 : (splits.at(-1) ?? 0)
  if (from > (entry.since ?? 0)) entry.since = from
  if (!plan.hasLifetime) {
    delete entry.whole
    delete entry.all
  }
}

/** Why the state cannot have been written by a fold of these definitions; undefined where it can. */
export function stateProblem(plan: FeaturesPlan, state: Readonly<Record<string, unknown>>): string | undefined {
  for (const { key, aggregator, tiers } of plan.states.values()) {
    const entry = state[key]
    if (entry === undefined) continue
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return `st: the entry ${key} is no object`
    for (const level of tiers) {
      const tiles = (entry as StateEntry)[level.key]
      if (tiles !== undefined && !areTiles(aggregator, tiles))
        return `st: the entry ${key} has no tiles at ${level.key}`
    }
  }
  return undefined
}

/** Keys in a fixed order, so that equal states are equal bytes. */
export function stateJson(state: UserState): string {
  const ordered: UserState = {}
  for (const key of Object.keys(state).sort()) {
    const entry = state[key]
    if (entry !== undefined) ordered[key] = orderEntry(entry)
  }
  return JSON.stringify(ordered)
}

function orderEntry(entry: StateEntry): StateEntry {
  const { since, whole, seen, left, all, m, q, h, d, x, newest, recent, ...unknown } = entry
  // JSON.stringify leaves out what is undefined; unknown members of a newer layout are carried through.
  return { since, whole, seen, left, all, m, q, h, d, x, newest, recent, ...unknown } as StateEntry
}

interface Promotion {
  readonly tiles: Tiles
  readonly tier: Tier
  readonly from: number
}

/** Whole tiles only: one of an older, coarser definition may reach into what a window still counts. */
function promote(plan: StatePlan, entry: StateEntry, { tiles, tier, from }: Promotion): void {
  const { aggregator, hasLifetime } = plan
  const { coarser, ms } = tier
  const isOut = (index: number): boolean => (index + 1) * ms <= from
  takeOldest(aggregator, tiles, isOut, (index, cell) => {
    if (coarser !== undefined) {
      const start = floorTo(index * ms, coarser.ms)
      mergeIntoTiles(aggregator, (entry[coarser.key] ??= [[], []]), start / coarser.ms, cell)
    } else if (hasLifetime) {
      entry.all = accumulate(aggregator, entry.all, cell, 0)
    }
  })
  if (tiles[0].length === 0) delete entry[tier.key]
}
