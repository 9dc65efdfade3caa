// What 'millrace' exports: definitions only, and pure. Handlers are in 'millrace/functions'.
export { type EventContract, type EventOptions, event } from '../event/contract.ts'
export { choice, flag, number, text, type ValueOf } from '../event/field.ts'
export { convert, move, replace, set, type UpgradeStep } from '../event/upgrade-steps.ts'
export {
  count,
  first,
  last,
  max,
  mean,
  min,
  ratio,
  recency,
  stddev,
  sum,
  variance,
} from '../features/aggregates.ts'
export { features } from '../features/define.ts'
export {
  above,
  absolute,
  add,
  all,
  any,
  atLeast,
  atMost,
  below,
  coalesce,
  constant,
  divide,
  equals,
  greatest,
  isNull,
  least,
  log1p,
  multiply,
  not,
  squareRoot,
  subtract,
  when,
} from '../features/derived.ts'
export type { Feature, FeatureSet, Grouped, ValuesOf } from '../features/feature.ts'
export {
  decayed,
  distinct,
  firstK,
  histogram,
  lastK,
  percentile,
  streak,
  type Top,
  topK,
} from '../features/parametric-aggregates.ts'
export { pseudonym } from '../forget/pseudonym.ts'
export { type ModelDefinition, model } from '../model/define.ts'
export { type Pipeline, pipeline } from '../predictions/pipeline.ts'
