// What a state says at an instant: the tiles of the window merged into one cell and read, or the reason why it cannot say yet.
import { accumulate, type Cell, type Slot } from './aggregators/aggregator.ts'
import { groupedCell, keyOf } from './aggregators/grouped.ts'
import { type FeatureValue, jsonNumber } from './features-body.ts'
import type { AggregatePlan, StatePlan } from './plan.ts'
import { type Moment, plainValue, recencyOf, sumOf } from './read-cell.ts'
import { newestOf, type StateEntry } from './state.ts'
import { floorTo, leavesAt, type Window, windowStart } from './windows.ts'

/** The state does not reach back as far as the feature asks. */
export const PENDING = Symbol('pending')

type Pending = typeof PENDING

/** `cells`: by source, those of this evaluation that are merged already. */
export function aggregateAt(
  plan: AggregatePlan,
  entry: StateEntry,
  moment: Moment,
  cells: unknown[],
): FeatureValue | Pending {
  if (plan.state.newestK > 0) return newestAt(plan, entry, moment)
  if (plan.feature.aggregate === 'decayed') return decayedAt(plan, entry, moment)
  const known = cells[plan.source] as { readonly cell: Cell | undefined | Pending } | undefined
  const { cell } = known ?? { cell: cellAt(plan, entry, moment) }
  if (known === undefined) cells[plan.source] = { cell }
  return cell === PENDING ? PENDING : plan.read(cell, moment)
}

function cellAt({ state, window }: AggregatePlan, entry: StateEntry, moment: Moment): Cell | undefined | Pending {
  if (window === undefined) return lifetimeCell(state, entry)
  let cell: Cell | undefined
  const isComplete = visitWindow(state, entry, { window, moment }, (tiles, from) => {
    cell = accumulate(state.aggregator, cell, tiles, from)
  })
  return isComplete ? cell : PENDING
}

function lifetimeCell({ aggregator, tiers }: StatePlan, entry: StateEntry): Cell | undefined | Pending {
  if (entry.whole === undefined) return PENDING
  let cell = entry.all === undefined ? undefined : [...entry.all]
  const stride = 1 + aggregator.width
  for (const { key } of tiers) {
    const tiles = entry[key] ?? []
    for (let index = 0; index < tiles.length; index += stride) cell = accumulate(aggregator, cell, tiles, index + 1)
  }
  return cell
}

interface Reading {
  readonly window: Window
  readonly moment: Moment
}

/** Each tile that the window counts, with the place of its cell and its start. False where some of the window is not there. */
function visitWindow(
  { aggregator, tiers }: StatePlan,
  entry: StateEntry,
  { window, moment }: Reading,
  visit: (tiles: readonly Slot[], from: number, startMs: number) => void,
): boolean {
  let isComplete = isCompleteFrom(window, entry.since, moment)
  const start = windowStart(window, moment.t)
  const stride = 1 + aggregator.width
  for (const { key, ms } of tiers) {
    const tiles = entry[key]
    if (tiles === undefined) continue
    // From the newest back: a short window does not walk the tiles of the long ones.
    let index = tiles.length
    for (; index > 0 && (tiles[index - stride] as number) * ms >= start; index -= stride) {
      visit(tiles, index - stride + 1, (tiles[index - stride] as number) * ms)
    }
    if (index > 0) {
      // A tile coarser than the window's hop is there only since before the window was defined.
      const excludedStart = (tiles[index - stride] as number) * ms
      const lastMoment = ms > window.hopMs ? excludedStart + ms - 1 : excludedStart
      moment.step(leavesAt(window, lastMoment))
      if (lastMoment >= start) isComplete = false
    }
    if (index < tiles.length) moment.step(leavesAt(window, (tiles[index] as number) * ms))
  }
  return isComplete
}

function newestAt(
  { state, window, feature }: AggregatePlan,
  entry: StateEntry,
  moment: Moment,
): FeatureValue | Pending {
  const known = newestOf(entry, state.newestK)
  const from = entry.since ?? 0
  // One that is older than `since` may not be among the newest: what was folded before the entry existed is unknown to it.
  const sure = known.filter(([ts]) => ts >= from)
  if (sure.length < state.newestK && !isCompleteFrom(window, entry.since, moment)) return PENDING
  if (feature.aggregate === 'recency')
    return recencyOf(sure[0]?.[0], Number(feature.readParameters['roundToMs']), moment)
  const start = window === undefined ? Number.NEGATIVE_INFINITY : windowStart(window, moment.t)
  if (window !== undefined) for (const [ts] of sure) moment.step(leavesAt(window, ts))
  const divisor = 10 ** (feature.scale ?? 0)
  const values = sure.filter(([ts]) => ts >= start).map(([, , value]) => plainValue(value, divisor))
  return feature.aggregate === 'lastK' ? values : (values[0] ?? null)
}

function isCompleteFrom(window: Window | undefined, since: number | undefined, moment: Moment): boolean {
  if (since === undefined) return true
  if (window === undefined) return false
  moment.step(leavesAt(window, since - 1))
  return windowStart(window, moment.t) >= since
}

/** Each tile by its age in whole hops; the sum of one tile is exact, that of all goes from the newest tile to the oldest. */
function decayedAt(
  { state, feature, window }: AggregatePlan,
  entry: StateEntry,
  moment: Moment,
): FeatureValue | Pending {
  if (window === undefined) return PENDING
  const halfLifeMs = Number(feature.stateParameters['halfLifeMs'])
  const now = floorTo(moment.t, window.hopMs)
  const weighed: { readonly cell: Cell; readonly weight: number }[] = []
  const isComplete = visitWindow(state, entry, { window, moment }, (tiles, from, startMs) => {
    const cell = tiles.slice(from, from + state.aggregator.width)
    weighed.push({ cell, weight: 2 ** ((startMs - now) / halfLifeMs) })
  })
  if (weighed.length > 0) {
    moment.step(now)
    moment.step(now + window.hopMs)
  }
  if (!isComplete) return PENDING
  const scale = feature.field === undefined ? 0 : feature.scale
  const total = (cells: typeof weighed) =>
    jsonNumber(cells.reduce((sum, { cell, weight }) => sum + sumOf(cell, 0, scale) * weight, 0))
  return feature.by === undefined ? total(weighed) : decayedGroups(state, weighed, total)
}

function decayedGroups(
  { aggregator }: StatePlan,
  weighed: readonly { readonly cell: Cell; readonly weight: number }[],
  total: (cells: { readonly cell: Cell; readonly weight: number }[]) => number | null,
): FeatureValue {
  let merged: Cell | undefined
  for (const { cell } of weighed) merged = accumulate(aggregator, merged, cell, 0)
  const { groups, other } = groupedCell(merged?.[0])
  const kept = new Map(groups.map(group => [keyOf(group), [] as { cell: Cell; weight: number }[]]))
  const rest: { cell: Cell; weight: number }[] = []
  for (const { cell, weight } of weighed) {
    const tile = groupedCell(cell[0])
    for (const group of tile.groups) (kept.get(keyOf(group)) ?? rest).push({ cell: group.slice(1), weight })
    if (tile.other !== undefined) rest.push({ cell: tile.other, weight })
  }
  const values: Record<string, number | null> = Object.create(null)
  for (const [key, cells] of kept) values[key] = total(cells)
  return other === undefined ? { exact: true, groups: values } : { exact: false, groups: values, other: total(rest) }
}
