// The largest state that a definition can come to, built and not folded: a tile wherever a fold can leave one, at the instant at
// which there are most of them. A test folds events into every tile and finds the same entry.
import { accumulate } from '../features/aggregators/aggregator.ts'
import { edgesOf } from '../features/aggregators/edge-events.ts'
import type { FeaturesPlan, StatePlan, Tier } from '../features/plan.ts'
import type { StateEntry, UserState } from '../features/state.ts'
import { mergeIntoTiles } from '../features/tiles.ts'
import { floorTo, type LevelKey, windowStart } from '../features/windows.ts'
import { DAY_MS, MINUTE_MS } from '../platform/duration.ts'
import type { Random } from '../platform/random.ts'
import { type CellMaker, cellMaker } from './full-cells.ts'
import type { UsedState } from '../predictions/used-states.ts'

export interface FullState {
  readonly state: UserState
  readonly at: number
  /** How many times its entry a state is; above 1 where so many tiles would be that some stand for all. */
  readonly factors: ReadonlyMap<string, number>
}

/** Any day: only where in a day the instant lies makes a difference. */
const SOME_DAY_MS = Date.UTC(2026, 5, 30)
/** Tiles of one state are alike, so enough of them tell the size of all. More would deflate to more than any item may have. */
const ENTRIES_PLAIN_BYTES_MAX = 1024 * 1024
const ENTRY_PLAIN_BYTES_LEAST = 16 * 1024

export function fullState(plan: FeaturesPlan, used: ReadonlyMap<string, UsedState>, random: Random): FullState {
  const at = fullestInstant(plan)
  const bytesMax = Math.max(ENTRY_PLAIN_BYTES_LEAST, Math.floor(ENTRIES_PLAIN_BYTES_MAX / Math.max(1, used.size)))
  const state: UserState = {}
  const factors = new Map<string, number>()
  for (const [key, { plan: statePlan, feature }] of used) {
    const tiles = tilesAt(statePlan, at)
    const makeCell = cellMaker(feature, tiles.length + 1, random)
    const first = tiles[0]
    const bytesPerTile = first === undefined ? 1 : JSON.stringify(makeCell(first.index * first.ms, first.ms)).length
    const kept = Math.max(1, Math.floor(bytesMax / bytesPerTile))
    state[key] = fullEntry(statePlan, at, { tiles: tiles.slice(0, kept), makeCell })
    factors.set(key, Math.max(1, tiles.length / kept))
  }
  return { state, at, factors }
}

export interface Tile {
  readonly level: LevelKey
  readonly ms: number
  readonly index: number
}

/** Every tile that a fold can leave at the instant, newest first. */
export function tilesAt({ tiers, newestK }: StatePlan, at: number): readonly Tile[] {
  const tiles: Tile[] = []
  let end = at + 1
  for (const tier of newestK > 0 ? [] : tiers.filter(({ isFolded }) => isFolded)) {
    const from = splitOf(tier, at)
    for (let index = Math.ceil(end / tier.ms) - 1; index * tier.ms >= from; index--) {
      tiles.push({ level: tier.key, ms: tier.ms, index })
    }
    end = from
  }
  return tiles
}

/** `tiles`: newest first. */
export function fullEntry(
  plan: StatePlan,
  at: number,
  { tiles, makeCell }: { readonly tiles: readonly Tile[]; readonly makeCell: CellMaker },
): StateEntry {
  if (plan.newestK > 0) return newestEntry(plan.newestK, at, makeCell)
  const coarsest = plan.tiers.at(-1)
  const since = plan.windows.length === 0 || coarsest === undefined ? at + 1 : splitOf(coarsest, at)
  const entry: StateEntry = plan.hasLifetime ? { since, whole: 1 } : { since }
  for (const { level, ms, index } of tiles.toReversed()) {
    mergeIntoTiles(plan.aggregator, (entry[level] ??= [[], []]), index, makeCell(index * ms, ms))
  }
  if (plan.hasLifetime) entry.all = accumulate(plan.aggregator, undefined, makeCell(since - DAY_MS, DAY_MS), 0)
  return entry
}

function newestEntry(k: number, at: number, makeCell: CellMaker): StateEntry {
  const edges = edgesOf(makeCell(at - DAY_MS, DAY_MS)[0])
  const newest = edges[0]
  if (newest === undefined) return {}
  return k === 1 ? { newest } : { recent: edges }
}

/** As in the fold: what starts before it stands at a coarser level. */
function splitOf({ splitBy, coarser }: Tier, at: number): number {
  const earliest = Math.min(...splitBy.map(window => windowStart(window, at)))
  return coarser === undefined ? earliest : floorTo(earliest, coarser.ms)
}

/** Tiles are rolled up as a whole, so that most are there just before a coarser one is done. */
function fullestInstant({ states }: FeaturesPlan): number {
  const plans = [...states.values()]
  let [fullest, most] = [SOME_DAY_MS, -1]
  for (let at = SOME_DAY_MS + MINUTE_MS - 1; at < SOME_DAY_MS + DAY_MS; at += MINUTE_MS) {
    const slots = plans.reduce((sum, plan) => sum + tileCount(plan, at) * (1 + plan.aggregator.width), 0)
    if (slots > most) [fullest, most] = [at, slots]
  }
  return fullest
}

function tileCount({ tiers, newestK }: StatePlan, at: number): number {
  let [count, end] = [0, at + 1]
  for (const tier of newestK > 0 ? [] : tiers.filter(({ isFolded }) => isFolded)) {
    const from = splitOf(tier, at)
    count += Math.ceil(end / tier.ms) - Math.ceil(from / tier.ms)
    end = from
  }
  return count
}
