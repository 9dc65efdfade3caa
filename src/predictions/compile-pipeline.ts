// A pipeline made ready to run, once per cold start: contracts with split paths, features with shared states.
import { compileContracts, type Contracts } from '../event/compile-contracts.ts'
import { compileFeatures, type FeaturesPlan, latenessOf } from '../features/plan.ts'
import type { Pipeline } from './pipeline.ts'

export interface CompiledPipeline {
  readonly pipeline: Pipeline
  readonly contracts: Contracts
  readonly features: FeaturesPlan
  readonly latenessMs: (eventType: string) => number
}

/** Throws DefinitionError. */
export function compilePipeline(pipeline: Pipeline): CompiledPipeline {
  return {
    pipeline,
    contracts: compileContracts(pipeline.events, { typePath: pipeline.typePath }),
    features: compileFeatures(pipeline.features),
    latenessMs: latenessOf(pipeline.events),
  }
}
