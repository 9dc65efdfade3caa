// What a state says at an instant: the tiles of the window merged into one cell and read, or the reason why it cannot say yet.
import { type Cell, gathererOf, type Slot } from './aggregators/aggregator.ts'
import { groupWidthOf } from './aggregators/aggregator-of.ts'
import { type GroupedCell, groupedCell, keyOf } from './aggregators/grouped.ts'
import { type FeatureValue, jsonNumber } from './features-body.ts'
import type { AggregateFeature } from './feature.ts'
import type { AggregatePlan, StatePlan } from './plan.ts'
import { type Moment, plainValue, recencyOf, sumOf } from './read-cell.ts'
import { newestOf, type StateEntry } from './state.ts'
import { type CellSink, TilesWalk } from './tiles.ts'
import { floorTo, leavesAt, type Window, windowStart } from './windows.ts'

/** The state does not reach back as far as the feature asks. */
export const PENDING = Symbol('pending')

type Pending = typeof PENDING

/** By window, ms; undefined: the whole life. */
export type MergedCells = Map<number | undefined, Cell | undefined | Pending>

/** `merged`: by state, what this evaluation has merged already. */
export function aggregateAt(
  plan: AggregatePlan,
  entry: StateEntry,
  moment: Moment,
  merged: Map<StatePlan, MergedCells>,
): FeatureValue | Pending {
  const { state, window } = plan
  if (state.newestK > 0) return newestAt(plan, entry, moment)
  if (plan.feature.aggregate === 'decayed') return decayedAt(plan, entry, moment)
  const cells = merged.get(state) ?? mergeCells(state, entry, moment)
  merged.set(state, cells)
  const cell = cells.get(window?.withinMs)
  return cell === PENDING ? PENDING : plan.read(cell, moment)
}

/** Of all windows in one walk: a longer one counts what the shorter one does, and then some. */
function mergeCells(state: StatePlan, entry: StateEntry, moment: Moment): MergedCells {
  const cells: MergedCells = new Map()
  const gatherer = gathererOf(state.aggregator)
  const walks = walksOf(state, entry)
  for (const window of state.windows) {
    const isComplete = walkWindow(walks, entry, { window, moment }, gatherer)
    cells.set(window.withinMs, isComplete ? gatherer.cell() : PENDING)
  }
  if (!state.hasLifetime) return cells
  for (const walk of walks) walk.walkTo(Number.NEGATIVE_INFINITY, gatherer)
  if (entry.all !== undefined) gatherer.add(entry.all, 0)
  cells.set(undefined, entry.whole === undefined ? PENDING : gatherer.cell())
  return cells
}

function walksOf({ aggregator, tiers }: StatePlan, entry: StateEntry): readonly TilesWalk[] {
  return tiers.flatMap(({ key, ms }) => {
    const tiles = entry[key]
    return tiles === undefined ? [] : [new TilesWalk(aggregator, tiles, ms)]
  })
}

interface Reading {
  readonly window: Window
  readonly moment: Moment
}

/** Each tile that the window counts and no shorter one did. False where some of the window is not there. */
function walkWindow(
  walks: readonly TilesWalk[],
  entry: StateEntry,
  { window, moment }: Reading,
  sink: CellSink,
): boolean {
  let isComplete = isCompleteFrom(window, entry.since, moment)
  const start = windowStart(window, moment.t)
  for (const walk of walks) {
    walk.walkTo(start, sink)
    const { oldestIncludedMs, newestExcludedMs, ms } = walk
    if (newestExcludedMs !== undefined) {
      // A tile coarser than the window's hop is there only since before the window was defined.
      const lastMoment = ms > window.hopMs ? newestExcludedMs + ms - 1 : newestExcludedMs
      moment.step(leavesAt(window, lastMoment))
      if (lastMoment >= start) isComplete = false
    }
    if (oldestIncludedMs !== undefined) moment.step(leavesAt(window, oldestIncludedMs))
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
  const total = feature.by === undefined ? decayedTotal(feature) : decayedGroups(feature, state)
  const weigh: CellSink = {
    add: (cells, from, startMs) => total.add(cells, from, 2 ** ((startMs - now) / halfLifeMs)),
  }
  const isComplete = walkWindow(walksOf(state, entry), entry, { window, moment }, weigh)
  if (!total.isEmpty) {
    moment.step(now)
    moment.step(now + window.hopMs)
  }
  return isComplete ? total.value() : PENDING
}

interface DecayedSum {
  isEmpty: boolean
  add(cells: readonly Slot[], from: number, weight: number): void
  value(): FeatureValue
}

function decayedTotal({ field, scale }: AggregateFeature): DecayedSum {
  const sumScale = field === undefined ? 0 : scale
  let total = 0
  return {
    isEmpty: true,
    add(cells, from, weight) {
      this.isEmpty = false
      total += sumOf(cells, from, sumScale) * weight
    },
    value: () => jsonNumber(total),
  }
}

/** Which keys are kept follows from all tiles together. */
function decayedGroups(feature: AggregateFeature, { aggregator }: StatePlan): DecayedSum {
  const width = groupWidthOf(feature)
  const gatherer = gathererOf(aggregator)
  const tiles: { readonly tile: GroupedCell; readonly weight: number }[] = []
  return {
    isEmpty: true,
    add(cells, from, weight) {
      this.isEmpty = false
      gatherer.add(cells, from)
      tiles.push({ tile: groupedCell(cells[from], width), weight })
    },
    value() {
      const { groups, other } = groupedCell(gatherer.cell()?.[0], width)
      const totals = new Map(groups.map(group => [keyOf(group), decayedTotal(feature)]))
      const rest = decayedTotal(feature)
      for (const { tile, weight } of tiles) {
        for (const group of tile.groups) (totals.get(keyOf(group)) ?? rest).add(group, 1, weight)
        if (tile.other !== undefined) rest.add(tile.other, 0, weight)
      }
      const values: Record<string, FeatureValue> = Object.create(null)
      for (const [key, total] of totals) values[key] = total.value()
      return other === undefined
        ? { exact: true, groups: values }
        : { exact: false, groups: values, other: rest.value() }
    },
  }
}
