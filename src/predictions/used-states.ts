// The states of a definition with the features that read them: sizes and plans are told by state, people think in features.
import type { AggregateFeature } from '../features/feature.ts'
import type { AggregatePlan, ComputePlan, ExpressionPlan, FeaturesPlan, StatePlan } from '../features/plan.ts'

export interface UsedState {
  readonly plan: StatePlan
  /** One of those that keep it; they differ in how they read it only. */
  readonly feature: AggregateFeature
  /** Names of the features that read it, in code point order; those that name such a feature are not among them. */
  readonly readBy: readonly string[]
}

/** By key, in the order of the plan. */
export function usedStates(plan: FeaturesPlan): ReadonlyMap<string, UsedState> {
  const readers = new Map<string, { feature: AggregateFeature; readBy: string[] }>()
  for (const { name, compute } of plan.features) {
    for (const { state, feature } of aggregatesIn(compute)) {
      const known = readers.get(state.key)
      if (known === undefined) readers.set(state.key, { feature, readBy: [name] })
      else if (known.readBy.at(-1) !== name) known.readBy.push(name)
    }
  }
  const used = new Map<string, UsedState>()
  for (const state of plan.states.values()) {
    const reader = readers.get(state.key)
    if (reader !== undefined) used.set(state.key, { plan: state, ...reader })
  }
  return used
}

function aggregatesIn(compute: ComputePlan): readonly AggregatePlan[] {
  switch (compute.kind) {
    case 'aggregate':
      return [compute]
    case 'ratio':
      return [compute.numerator, compute.denominator]
    case 'derived':
      return aggregatesUnder(compute.expression)
  }
}

function aggregatesUnder(expression: ExpressionPlan): readonly AggregatePlan[] {
  if (expression.kind === 'feature') return aggregatesIn(expression.compute)
  return expression.kind === 'operation' ? expression.operands.flatMap(aggregatesUnder) : []
}
