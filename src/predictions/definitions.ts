// A whole pipeline as plain data: what is in force at a stage, so that what is about to be deployed can be held against it, by this
// release and by later ones.
import { describeContract, type JsonObject } from '../event/describe-contract.ts'
import { byCodePoint, canonicalJson, type Json } from '../platform/canonical-json.ts'
import { describeFeature, describeState } from '../features/describe.ts'
import type { Feature } from '../features/feature.ts'
import type { FeatureType } from '../features/value-type.ts'
import { aggregatesNamed } from './aggregates-named.ts'
import { type CompiledPipeline, EVALUATION_VERSION } from './compile-pipeline.ts'
import { featureText } from './definition-text.ts'
import { definedFeatures } from './defined-features.ts'
import { usedStates } from './used-states.ts'

export const DEFINITIONS_FORMAT_VERSION = 1

export interface Definitions {
  readonly formatVersion: number
  readonly pipeline: string
  /** As items name what they were made by. */
  readonly definitions: string
  readonly evaluation: number
  readonly typePath: string
  readonly itemBytesMax: number
  /** `describeContract`, by type. */
  readonly events: readonly JsonObject[]
  /** By name. */
  readonly features: readonly DescribedFeature[]
  /** By key. */
  readonly states: readonly DescribedState[]
  /** By name. */
  readonly models: readonly DescribedModel[]
}

export interface DescribedFeature {
  readonly name: string
  readonly fingerprint: string
  readonly type: FeatureType
  readonly text: string
  readonly definition: Json
  /** Of itself and of all features that it names, directly or not. */
  readonly reads: readonly DescribedRead[]
}

export interface DescribedRead {
  /** Key of the state. */
  readonly state: string
  /** Null: the user's whole life, or the newest events whenever they were. */
  readonly withinMs: number | null
}

export interface DescribedState {
  readonly key: string
  readonly definition: Json
  /** Of all features that read it, ascending. */
  readonly windowsMs: readonly number[]
  readonly isWholeLife: boolean
  /** How many of the newest events it is; 0: it is no list of these. */
  readonly newestK: number
}

export interface DescribedModel {
  readonly name: string
  readonly owner: string
  readonly about: string | null
  /** Of a shadow only: the model that is served. */
  readonly shadowOf?: string
  /** In the order in which the model gets them. */
  readonly inputs: readonly { readonly name: string; readonly fingerprint: string }[]
}

/** Equal for equal definitions, whatever the order in which they are written; the same after JSON. */
export function describePipeline(compiled: CompiledPipeline): Definitions {
  const { pipeline, features, definitions } = compiled
  const defined = definedFeatures(compiled)
  return {
    formatVersion: DEFINITIONS_FORMAT_VERSION,
    pipeline: pipeline.name,
    definitions,
    evaluation: EVALUATION_VERSION,
    typePath: pipeline.typePath,
    itemBytesMax: pipeline.itemBytesMax,
    events: pipeline.events.toSorted((a, b) => byCodePoint(a.type, b.type)).map(describeContract),
    features: features.features.map(({ name, fingerprint }) => {
      const feature = pipeline.features.features[name] as Feature
      return {
        name,
        fingerprint,
        type: defined.get(name)?.type ?? 'number',
        text: featureText(feature),
        definition: plain(describeFeature(feature, pipeline.features.features)),
        reads: aggregatesNamed(compiled, name).map(({ state, window }) => ({
          state: state.key,
          withinMs: window?.withinMs ?? null,
        })),
      }
    }),
    states: [...usedStates(features).values()]
      .map(({ plan, feature }) => ({
        key: plan.key,
        definition: plain(describeState(feature)),
        windowsMs: plan.windows.map(({ withinMs }) => withinMs),
        isWholeLife: plan.hasLifetime,
        newestK: plan.newestK,
      }))
      .sort((a, b) => byCodePoint(a.key, b.key)),
    models: pipeline.models
      .toSorted((a, b) => byCodePoint(a.name, b.name))
      .map(({ name, owner, about, inputs, shadowOf }) => ({
        name,
        owner,
        about: about ?? null,
        ...(shadowOf === undefined ? {} : { shadowOf }),
        inputs: inputs.map(input => ({ name: input, fingerprint: defined.get(input)?.fingerprint ?? '' })),
      })),
  }
}

/** Without members that are undefined. */
function plain(json: Json): Json {
  return JSON.parse(canonicalJson(json)) as Json
}
