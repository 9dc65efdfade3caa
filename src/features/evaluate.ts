// Features at an instant, from state alone. A feature is a step function: beside the values come the last instant at which
// one could have stepped and the next at which one will, so that a stored result is a cache with an exact expiry.
import { accumulate, type Cell } from './cells.ts'
import type { FeaturesBody, FeatureValue } from './features-body.ts'
import type { AggregatePlan, FeaturePlan, FeaturesPlan, StatePlan } from './plan.ts'
import { cellLength, freshEntry, type StateEntry, type UserState } from './state.ts'
import { LEVELS, leavesAt, type Window, windowStart } from './windows.ts'

/** Reason of a feature that is null because its state is not complete yet. */
export const BACKFILLING = 'backfilling'

const PENDING = Symbol('pending')

/** The steps met on the way: no feature changes between `last` and `next`. */
interface Steps {
  last: number
  next: number
}

/**
 * The user's features at max(t, at); `at` is the newest event time folded. `asOf` of the answer is the last instant up to
 * then at which a value could have stepped, so that all answers within one step are equal.
 */
export function evaluateFeatures(plan: FeaturesPlan, state: UserState, at: number, t: number): FeaturesBody {
  const instant = Math.max(t, at)
  const steps: Steps = { last: at, next: Number.POSITIVE_INFINITY }
  const entries = new Map<string, StateEntry>()
  for (const statePlan of plan.states.values()) entries.set(statePlan.key, usableEntry(state[statePlan.key], at))
  const values: Record<string, FeatureValue> = {}
  const pending: Record<string, string> = {}
  let pendingCount = 0
  for (const { name, compute } of plan.features) {
    const value = valueAt(compute, entries, instant, steps)
    values[name] = value === PENDING ? null : value
    if (value !== PENDING) continue
    pending[name] = BACKFILLING
    pendingCount++
  }
  return {
    asOf: steps.last,
    ...(steps.next === Number.POSITIVE_INFINITY ? {} : { freshUntil: steps.next }),
    values,
    ...(pendingCount === 0 ? {} : { pending }),
  }
}

/** An entry that newer writes have not known counts as missing: its feature is null, never served short. */
function usableEntry(entry: StateEntry | undefined, at: number): StateEntry {
  return entry === undefined || entry.seen !== undefined ? freshEntry(at, false) : entry
}

type Aggregated = FeatureValue | typeof PENDING

function valueAt(
  compute: FeaturePlan['compute'],
  entries: ReadonlyMap<string, StateEntry>,
  t: number,
  steps: Steps,
): Aggregated {
  if (compute.kind === 'aggregate') return aggregateAt(compute, entries, t, steps)
  const numerator = aggregateAt(compute.numerator, entries, t, steps)
  const denominator = aggregateAt(compute.denominator, entries, t, steps)
  if (numerator === PENDING || denominator === PENDING) return PENDING
  if (typeof numerator !== 'number' || typeof denominator !== 'number' || denominator === 0) return null
  return numerator / denominator
}

function aggregateAt(
  plan: AggregatePlan,
  entries: ReadonlyMap<string, StateEntry>,
  t: number,
  steps: Steps,
): Aggregated {
  const entry = entries.get(plan.state.key) ?? {}
  if (plan.state.kind === 'newest') return newestAt(plan, entry, t, steps)
  const cell =
    plan.window === undefined ? lifetimeCell(plan.state, entry) : windowCell(plan, entry, plan.window, t, steps)
  return cell === PENDING ? PENDING : cellValue(plan, cell)
}

function newestAt(plan: AggregatePlan, entry: StateEntry, t: number, steps: Steps): Aggregated {
  const { newest, since } = entry
  // One that is older than `since` may not be the newest: what was folded before the entry existed is unknown to it.
  if (newest === undefined || newest[0] < (since ?? 0)) {
    return isCompleteFrom(plan.window, since, t, steps) ? null : PENDING
  }
  const [ts, , value] = newest
  if (plan.aggregate === 'recency') {
    const roundTo = plan.roundToMs ?? 1
    const whole = Math.floor((t - ts) / roundTo)
    step(steps, ts + whole * roundTo, t)
    step(steps, ts + (whole + 1) * roundTo, t)
    return (whole * roundTo) / 1000
  }
  if (plan.window !== undefined) {
    step(steps, leavesAt(plan.window, ts), t)
    if (ts < windowStart(plan.window, t)) return null
  }
  return typeof value === 'number' ? value / plan.divisor : value
}

function isCompleteFrom(window: Window | undefined, since: number | undefined, t: number, steps: Steps): boolean {
  if (since === undefined) return true
  if (window === undefined) return false
  step(steps, leavesAt(window, since - 1), t)
  return windowStart(window, t) >= since
}

function lifetimeCell(state: StatePlan, entry: StateEntry): Cell | undefined | typeof PENDING {
  if (entry.whole === undefined) return PENDING
  let cell = entry.all === undefined ? undefined : [...entry.all]
  const stride = 1 + cellLength(state.kind)
  for (const level of LEVELS) {
    const tiles = entry[level.key] ?? []
    for (let index = 0; index < tiles.length; index += stride) cell = accumulate(state.kind, cell, tiles, index + 1)
  }
  return cell
}

function windowCell(
  { state }: AggregatePlan,
  entry: StateEntry,
  window: Window,
  t: number,
  steps: Steps,
): Cell | undefined | typeof PENDING {
  let isComplete = isCompleteFrom(window, entry.since, t, steps)
  const start = windowStart(window, t)
  const stride = 1 + cellLength(state.kind)
  let cell: Cell | undefined
  for (const level of LEVELS) {
    const tiles = entry[level.key]
    if (tiles === undefined) continue
    // From the newest back: a short window does not walk the tiles of the long ones.
    let index = tiles.length
    for (; index > 0 && (tiles[index - stride] as number) * level.ms >= start; index -= stride) {
      cell = accumulate(state.kind, cell, tiles, index - stride + 1)
    }
    if (index > 0) {
      // A tile coarser than the window's hop is there only since before the window was defined.
      const excludedStart = (tiles[index - stride] as number) * level.ms
      const lastMoment = level.ms > window.hopMs ? excludedStart + level.ms - 1 : excludedStart
      step(steps, leavesAt(window, lastMoment), t)
      if (lastMoment >= start) isComplete = false
    }
    if (index < tiles.length) step(steps, leavesAt(window, (tiles[index] as number) * level.ms), t)
  }
  return isComplete ? cell : PENDING
}

function step(steps: Steps, instant: number, t: number): void {
  if (instant <= t) {
    if (instant > steps.last) steps.last = instant
  } else if (instant < steps.next) steps.next = instant
}

function cellValue(plan: AggregatePlan, cell: Cell | undefined): FeatureValue {
  const [first, second] = cell ?? []
  switch (plan.aggregate) {
    case 'count':
      return Number(first ?? 0)
    case 'sum':
      return Number(first ?? 0) / plan.divisor
    case 'mean':
      return first === undefined || second === undefined ? null : Number(second) / (Number(first) * plan.divisor)
    default:
      return first === undefined ? null : Number(first) / plan.divisor
  }
}
