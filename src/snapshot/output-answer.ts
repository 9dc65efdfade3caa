// Of what a model answers the one value that is counted: of scores the class that has the highest, which is what a label would say.
import type { Value } from '../model/distribution.ts'
import type { OutputValue } from '../model/model-session.ts'

export function outputAnswer(value: OutputValue): Value {
  if (typeof value !== 'object') return value
  return Object.entries(value).toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? null
}
