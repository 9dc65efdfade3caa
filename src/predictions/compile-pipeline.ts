// A pipeline made ready to run, once per cold start: contracts with split paths, features with shared states.
import { compileContracts, type Contracts } from '../event/compile-contracts.ts'
import { compileFeatures, type FeaturesPlan, latenessOf } from '../features/plan.ts'
import { canonicalJson } from '../platform/canonical-json.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { Pipeline } from './pipeline.ts'

/** Raised by a release whose code gives another value for the same definition and state: stored results are then evaluated anew. */
export const EVALUATION_VERSION = 1

export interface CompiledPipeline {
  readonly pipeline: Pipeline
  readonly contracts: Contracts
  readonly features: FeaturesPlan
  readonly latenessMs: (eventType: string) => number
  /**
   * Names what features and predictions are made by. An item keeps the one that it was written under: while it is the current
   * one, what is stored is what would be evaluated; after a deploy that changes it, a GET evaluates until the next event.
   */
  readonly definitions: string
}

/** Throws DefinitionError. */
export function compilePipeline(pipeline: Pipeline): CompiledPipeline {
  const features = compileFeatures(pipeline.features)
  return {
    pipeline,
    contracts: compileContracts(pipeline.events, { typePath: pipeline.typePath }),
    features,
    latenessMs: latenessOf(pipeline.events),
    definitions: definitionsOf(features, pipeline),
  }
}

/** 48 bits: it is told from the few other ones that items were written under, and each item carries it. */
const DEFINITIONS_DIGITS = 12

/**
 * SHA-256 of canonical JSON: each feature's name with its fingerprint, each model's name with its inputs. Features and models
 * are keyed by name, so the order in which they are written does not count; that of a model's inputs does, being the order in
 * which the model gets them. Whether a model is a shadow changes nothing that it answers, so items keep their worth when one
 * takes the place of another: what is served of them is decided when it is read.
 */
function definitionsOf({ features }: FeaturesPlan, { models }: Pipeline): string {
  const fingerprints = Object.fromEntries(features.map(({ name, fingerprint }) => [name, fingerprint]))
  const inputs = Object.fromEntries(models.map(model => [model.name, model.inputs]))
  return sha256Hex(canonicalJson({ evaluation: EVALUATION_VERSION, features: fingerprints, models: inputs })).slice(
    0,
    DEFINITIONS_DIGITS,
  )
}
