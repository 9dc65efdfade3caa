// What a feature is made of in the end: the aggregates of itself and of every feature that it names, however far round.
import type { AggregatePlan, ComputePlan, ExpressionPlan } from '../features/plan.ts'
import type { CompiledPipeline } from './compile-pipeline.ts'

/** Each (state, window) once, in the order in which they are met. */
export function aggregatesNamed({ features }: CompiledPipeline, name: string): readonly AggregatePlan[] {
  const found = new Map<string, AggregatePlan>()
  const visited = new Set<ComputePlan>()
  const add = (plan: AggregatePlan): void => {
    found.set(`${plan.state.key} ${plan.window?.withinMs}`, plan)
  }
  const addExpression = (expression: ExpressionPlan): void => {
    switch (expression.kind) {
      case 'constant':
        return
      case 'named':
        return addCompute(features.features[expression.index]?.compute)
      case 'feature':
        return addCompute(expression.compute)
      case 'operation':
        for (const operand of expression.operands) addExpression(operand)
    }
  }
  const addCompute = (compute: ComputePlan | undefined): void => {
    if (compute === undefined || visited.has(compute)) return
    visited.add(compute)
    switch (compute.kind) {
      case 'aggregate':
        return add(compute)
      case 'ratio':
        add(compute.numerator)
        return add(compute.denominator)
      case 'derived':
        addExpression(compute.expression)
    }
  }
  addCompute(features.features.find(feature => feature.name === name)?.compute)
  return [...found.values()]
}
