// A model as a team declares it: a name, an owner, and the features that go in. What it computes is in its artifact.
import { DefinitionError } from '../event/errors.ts'
import type { FeatureSet } from '../features/feature.ts'

export interface ModelDefinition {
  readonly kind: 'model'
  readonly name: string
  /** Feature names; a model depends on their fingerprints and on no other feature. */
  readonly inputs: readonly string[]
  readonly owner: string
  readonly about: string | undefined
  /** Of the model whose place it may take: it is computed and stored as that one is, and not served. */
  readonly shadowOf?: string
}

export interface ModelOptions<Set extends FeatureSet> {
  readonly from: Set
  readonly inputs: readonly (keyof Set['features'] & string)[]
  readonly owner: string
  readonly about?: string
  /** Name of a model of the same pipeline: this one is computed and stored beside it, and not served. */
  readonly shadowOf?: string
}

export const MODEL_NAME_PATTERN = /^[a-z][a-z0-9-]{0,63}$/

/** Throws DefinitionError. */
export function model<Set extends FeatureSet>(name: string, options: ModelOptions<Set>): ModelDefinition {
  if (!MODEL_NAME_PATTERN.test(name))
    throw new DefinitionError(`"${name}" is not a model name`, "Write it as 'churn' or 'next-order'.")
  if (options.inputs.length === 0) throw new DefinitionError(`The model ${name} has no inputs`, 'List feature names.')
  if (new Set(options.inputs).size !== options.inputs.length) {
    throw new DefinitionError(`The model ${name} lists an input twice`, 'List each feature once.')
  }
  for (const input of options.inputs) {
    if (!Object.hasOwn(options.from.features, input)) {
      throw new DefinitionError(
        `The model ${name} wants the feature "${input}", which is not defined`,
        'Define it first.',
      )
    }
  }
  const { inputs, owner, about, shadowOf } = options
  if (shadowOf === name) {
    throw new DefinitionError(`The model ${name} is a shadow of itself`, 'Name the model that is served.')
  }
  return { kind: 'model', name, inputs, owner, about, ...(shadowOf === undefined ? {} : { shadowOf }) }
}
