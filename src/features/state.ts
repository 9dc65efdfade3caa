// A user's state: JSON that is folded in place, so that reading it costs one parse and writing it one stringify. The same
// events in any order give the same JSON: where a tile stands follows from its time and the newest event time alone.
import type { DecodedEvent, FieldValue } from '../event/decoded-event.ts'
import { addCell, mergeCell, type Cell } from './cells.ts'
import type { FeaturesPlan, StateKind, StatePlan } from './plan.ts'
import { holds } from './where.ts'
import { floorTo, type LevelKey, windowStart } from './windows.ts'

/** Tiles of one level, ascending and flat: [index, ...cell, index, ...cell], index = start / level. */
export type Tiles = Cell[number][]

export interface StateEntry {
  /** Tiles are complete from this instant; absent: from the user's first event. */
  since?: number
  /** Present where `all` and the tiles together hold the user's whole life. */
  whole?: 1
  /** The `v` of the last write by code that knew this entry; absent: the item's own. */
  seen?: number
  m?: Tiles
  q?: Tiles
  h?: Tiles
  d?: Tiles
  /** Everything older than the tiles, where a feature covers the whole life. */
  all?: Cell
  /** [ts, id hash, value] of the newest event. */
  newest?: [number, string, FieldValue]
}

export type UserState = Record<string, StateEntry>

/** Numbers a cell has: a mean is kept as count and sum. */
export function cellLength(kind: StateKind): number {
  return kind === 'mean' ? 2 : 1
}

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
  leaveUnknownBehind(state, plan, input.previousVersion)
  const isNewUser = input.previousAt === undefined
  for (const statePlan of plan.states.values()) {
    const known = state[statePlan.key]
    const entry = known === undefined || known.seen !== undefined ? freshEntry(input.previousAt, isNewUser) : known
    state[statePlan.key] = entry
    rollUp(statePlan, entry, at)
  }
  for (const event of events) {
    for (const statePlan of plan.statesByEventType.get(event.type) ?? []) {
      const entry = state[statePlan.key]
      if (entry !== undefined) foldEvent(statePlan, entry, event, at)
    }
  }
  return { state, at }
}

/** An entry for an item that was written without it is complete only after everything folded so far. */
export function freshEntry(previousAt: number | undefined, isNewUser: boolean): StateEntry {
  return isNewUser || previousAt === undefined ? { whole: 1 } : { since: previousAt + 1 }
}

function leaveUnknownBehind(state: UserState, plan: FeaturesPlan, previousVersion: number | undefined): void {
  for (const key in state) {
    const entry = state[key]
    if (entry !== undefined && entry.seen === undefined && !plan.states.has(key)) entry.seen = previousVersion ?? 0
  }
}

function foldEvent(plan: StatePlan, entry: StateEntry, event: DecodedEvent, at: number): void {
  if (plan.where.length > 0 && !holds(plan.where, event.fields)) return
  const value = plan.field === undefined ? null : (event.fields.get(plan.field) ?? null)
  if (plan.field !== undefined && value === null) return
  if (plan.kind === 'newest') {
    foldNewest(entry, event, value)
    return
  }
  for (const level of plan.levels) {
    const start = floorTo(event.ts, level.ms)
    if (start < splitFrom(plan, level, at)) continue
    const tiles = (entry[level.key] ??= [])
    addToTiles(plan.kind, tiles, start / level.ms, value)
    return
  }
  if (plan.hasLifetime) entry.all = addCell(plan.kind, entry.all, value)
}

function foldNewest(entry: StateEntry, event: DecodedEvent, value: FieldValue): void {
  const newest = entry.newest
  const isNewer = newest === undefined || event.ts > newest[0] || (event.ts === newest[0] && event.idHash > newest[1])
  if (isNewer) entry.newest = [event.ts, event.idHash, value]
}

/** Tiles of a level that start before this stand one level coarser: no window can still tell them apart. */
function splitFrom(plan: StatePlan, level: StatePlan['levels'][number], at: number): number {
  const coarser = plan.levels[plan.levels.indexOf(level) + 1]
  const windows = coarser === undefined ? plan.windows : level.splitBy
  let earliest = Number.POSITIVE_INFINITY
  for (const window of windows) earliest = Math.min(earliest, windowStart(window, at))
  return coarser === undefined ? earliest : floorTo(earliest, coarser.ms)
}

/** Moves tiles that no window needs as fine any more one level up, and drops what no window counts any more. */
export function rollUp(plan: StatePlan, entry: StateEntry, at: number): void {
  if (plan.kind === 'newest') {
    delete entry.whole
    return
  }
  let from = at + 1
  for (const [index, level] of plan.levels.entries()) {
    from = splitFrom(plan, level, at)
    const tiles = entry[level.key]
    if (tiles !== undefined) promote(plan, entry, { tiles, level, from, coarser: plan.levels[index + 1] })
  }
  if (from > (entry.since ?? 0)) entry.since = from
  if (!plan.hasLifetime) {
    delete entry.whole
    delete entry.all
  }
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
  const { since, whole, seen, all, m, q, h, d, newest, ...unknown } = entry
  // JSON.stringify leaves out what is undefined; unknown members of a newer layout are carried through.
  return { since, whole, seen, all, m, q, h, d, newest, ...unknown } as StateEntry
}

interface Promotion {
  readonly tiles: Tiles
  readonly level: StatePlan['levels'][number]
  readonly from: number
  readonly coarser: StatePlan['levels'][number] | undefined
}

function promote(plan: StatePlan, entry: StateEntry, { tiles, level, from, coarser }: Promotion): void {
  const stride = 1 + cellLength(plan.kind)
  let moved = 0
  for (; moved < tiles.length && (tiles[moved] as number) * level.ms < from; moved += stride) {
    const cell = tiles.slice(moved + 1, moved + stride)
    if (coarser !== undefined) {
      const start = floorTo((tiles[moved] as number) * level.ms, coarser.ms)
      mergeIntoTiles(plan.kind, (entry[coarser.key] ??= []), start / coarser.ms, cell)
    } else if (plan.hasLifetime) {
      entry.all = entry.all === undefined ? cell : mergeCell(plan.kind, entry.all, cell)
    }
  }
  if (moved === 0) return
  tiles.splice(0, moved)
  if (tiles.length === 0) delete entry[level.key as LevelKey]
}

function addToTiles(kind: StateKind, tiles: Tiles, index: number, value: FieldValue): void {
  mergeIntoTiles(kind, tiles, index, addCell(kind, undefined, value))
}

function mergeIntoTiles(kind: StateKind, tiles: Tiles, index: number, cell: Cell): void {
  const stride = 1 + cell.length
  let position = tiles.length
  while (position > 0 && (tiles[position - stride] as number) > index) position -= stride
  const before = position - stride
  if (before >= 0 && tiles[before] === index) {
    const merged = mergeCell(kind, tiles.slice(before + 1, before + stride), cell)
    for (const [offset, number] of merged.entries()) tiles[before + 1 + offset] = number
  } else {
    tiles.splice(position, 0, index, ...cell)
  }
}
