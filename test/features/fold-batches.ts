// Folds batches of events one after the other, each on the state as an item would hold it.
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import { compileFeatures } from '../../src/features/plan.ts'
import { foldState, stateJson, type UserState } from '../../src/features/state.ts'
import { customer } from './factories.ts'

export const plan = compileFeatures(customer)
export const DAY = 86_400_000

export interface Folded {
  state: UserState
  at: number
}

export function foldAll(batches: readonly (readonly DecodedEvent[])[], usedPlan = plan): Folded {
  let folded: Folded | undefined
  let version = 0
  for (const events of batches) {
    const state = folded === undefined ? undefined : (JSON.parse(stateJson(folded.state)) as UserState)
    folded = foldState({ plan: usedPlan, state, previousAt: folded?.at, previousVersion: version || undefined, events })
    version++
  }
  if (folded === undefined) throw new Error('no batch')
  return folded
}

export function split<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = []
  for (let index = 0; index < items.length; index += size) result.push(items.slice(index, index + size))
  return result
}
