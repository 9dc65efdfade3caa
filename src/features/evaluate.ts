// Features at an instant, from state alone. A feature is a step function: beside the values come the last instant at which
// one could have stepped and the next at which one will, so that a stored result is a cache with an exact expiry.
import { operate } from './expression.ts'
import { type FeaturesBody, type FeatureValue, jsonNumber } from './features-body.ts'
import type { AggregatePlan, ComputePlan, ExpressionPlan, FeaturesPlan, StatePlan } from './plan.ts'
import type { Moment } from './read-cell.ts'
import { aggregateAt, type MergedCells, PENDING } from './read-state.ts'
import { freshEntry, type StateEntry, type UserState } from './state.ts'

/** Reason of a feature that is null because its state is not complete yet. */
export const BACKFILLING = 'backfilling'

type Computed = FeatureValue | typeof PENDING

/**
 * The user's features at max(t, at); `at` is the newest event time folded. `asOf` of the answer is the last instant up to
 * then at which a value could have stepped, so that all answers within one step are equal.
 */
export function evaluateFeatures(plan: FeaturesPlan, state: UserState, at: number, t: number): FeaturesBody {
  const evaluation = new Evaluation(plan, state, at, Math.max(t, at))
  const computed: Computed[] = []
  for (const index of plan.order) {
    const feature = plan.features[index]
    if (feature !== undefined) computed[index] = evaluation.compute(feature.compute, computed)
  }
  const values: Record<string, FeatureValue> = {}
  const pending: Record<string, string> = {}
  let pendingCount = 0
  let index = 0
  for (const { name } of plan.features) {
    const value = computed[index++] ?? null
    values[name] = value === PENDING ? null : value
    if (value !== PENDING) continue
    pending[name] = BACKFILLING
    pendingCount++
  }
  return {
    asOf: evaluation.last,
    ...(evaluation.next === Number.POSITIVE_INFINITY ? {} : { freshUntil: evaluation.next }),
    values,
    ...(pendingCount === 0 ? {} : { pending }),
  }
}

/** No feature changes between `last` and `next`. */
class Evaluation implements Moment {
  readonly t: number
  last: number
  next = Number.POSITIVE_INFINITY
  readonly #entries = new Map<string, StateEntry>()
  readonly #merged = new Map<StatePlan, MergedCells>()

  constructor(plan: FeaturesPlan, state: UserState, at: number, t: number) {
    this.t = t
    this.last = at
    for (const { key } of plan.states.values()) this.#entries.set(key, usableEntry(state[key], at))
  }

  step = (instant: number): void => {
    if (instant <= this.t) {
      if (instant > this.last) this.last = instant
    } else if (instant < this.next) this.next = instant
  }

  compute(plan: ComputePlan, computed: readonly Computed[]): Computed {
    switch (plan.kind) {
      case 'aggregate':
        return this.#aggregate(plan)
      case 'ratio': {
        const [numerator, denominator] = [this.#aggregate(plan.numerator), this.#aggregate(plan.denominator)]
        if (numerator === PENDING || denominator === PENDING) return PENDING
        if (typeof numerator !== 'number' || typeof denominator !== 'number' || denominator === 0) return null
        return jsonNumber(numerator / denominator)
      }
      case 'derived':
        return this.#expression(plan.expression, computed)
    }
  }

  /** Pending where anything is that it names, though the operation might not ask for it: a value must not come and go. */
  #expression(plan: ExpressionPlan, computed: readonly Computed[]): Computed {
    switch (plan.kind) {
      case 'constant':
        return plan.value
      case 'named':
        return computed[plan.index] ?? null
      case 'feature':
        return this.compute(plan.compute, computed)
      case 'operation': {
        const operands: FeatureValue[] = []
        let isPending = false
        for (const operand of plan.operands) {
          const value = this.#expression(operand, computed)
          if (value === PENDING) isPending = true
          else operands.push(value)
        }
        return isPending ? PENDING : operate(plan.operator, operands)
      }
    }
  }

  #aggregate(plan: AggregatePlan): Computed {
    return aggregateAt(plan, this.#entries.get(plan.state.key) ?? {}, this, this.#merged)
  }
}

/** An entry that newer writes have not known counts as missing: its feature is null, never served short. */
function usableEntry(entry: StateEntry | undefined, at: number): StateEntry {
  return entry === undefined || entry.seen !== undefined ? freshEntry(at, false) : entry
}
