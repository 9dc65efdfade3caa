// What 'millrace' exports: definitions only, and pure. Handlers are in 'millrace/functions'.
export { type EventContract, type EventOptions, event } from '../event/contract.ts'
export { choice, flag, number, text, type ValueOf } from '../event/field.ts'
export { convert, move, replace, set, type UpgradeStep } from '../event/upgrade-steps.ts'
export {
  count,
  type Feature,
  type FeatureSet,
  features,
  last,
  max,
  mean,
  min,
  ratio,
  recency,
  sum,
  type ValuesOf,
} from '../features/define.ts'
export { type ModelDefinition, model } from '../model/define.ts'
export { type Pipeline, pipeline } from '../predictions/pipeline.ts'
