// A team's whole pipeline as data: what flows in, what is kept of it, what is predicted. Handlers are made from it.
import type { EventContract } from '../event/contract.ts'
import { DefinitionError } from '../event/errors.ts'
import { aggregatesOf, type FeatureSet } from '../features/feature.ts'
import type { ModelDefinition } from '../model/define.ts'
import { ITEM_BYTES_LEAST, ITEM_BYTES_MAX, ITEM_BYTES_RAISED_MAX } from './item-limits.ts'

export interface Pipeline<Set extends FeatureSet = FeatureSet> {
  readonly kind: 'pipeline'
  readonly name: string
  /** Path of an event's type in upstream's JSON. */
  readonly typePath: string
  readonly events: readonly EventContract[]
  readonly features: Set
  readonly models: readonly ModelDefinition[]
  /** An item over it is refused, and so is a definition whose items may get there. */
  readonly itemBytesMax: number
}

export interface PipelineOptions<Set extends FeatureSet> {
  /** Also the service's name: tables, streams and buckets are called after it. */
  readonly name: string
  readonly typePath?: string
  /** Only those that no feature counts yet: they are accepted and kept by the archive. Every other one is known by its features. */
  readonly events?: readonly EventContract[]
  readonly features: Set
  readonly models: readonly ModelDefinition[]
  /** Most bytes of a user's item, 65,536 unless given. Each 1,024 are a write unit, at every event. */
  readonly itemBytesMax?: number
}

/** Also part of the names of tables, streams and buckets. */
export const PIPELINE_NAME_PATTERN = /^[a-z][a-z0-9-]{2,31}$/

/** Throws DefinitionError. */
export function pipeline<Set extends FeatureSet>(options: PipelineOptions<Set>): Pipeline<Set> {
  if (!PIPELINE_NAME_PATTERN.test(options.name)) {
    throw new DefinitionError(`"${options.name}" is not a pipeline name`, 'Use 3 to 32 small letters, digits and -.')
  }
  const events = [...new Set([...(options.events ?? []), ...countedEvents(options.features)])]
  refuseRepeats(
    'event type',
    events.map(event => event.type),
  )
  refuseRepeats(
    'model',
    options.models.map(model => model.name),
  )
  for (const { name, inputs } of options.models) {
    const missing = inputs.find(input => !Object.hasOwn(options.features.features, input))
    if (missing !== undefined) {
      throw new DefinitionError(
        `The model ${name} wants the feature "${missing}" of another set`,
        'Use one set of features.',
      )
    }
  }
  refuseLostShadows(options.models)
  const { itemBytesMax = ITEM_BYTES_MAX } = options
  if (!Number.isInteger(itemBytesMax) || itemBytesMax < ITEM_BYTES_LEAST || itemBytesMax > ITEM_BYTES_RAISED_MAX) {
    throw new DefinitionError(
      `itemBytesMax is ${itemBytesMax}`,
      `Use a whole number from ${ITEM_BYTES_LEAST} to ${ITEM_BYTES_RAISED_MAX}.`,
    )
  }
  return {
    kind: 'pipeline',
    name: options.name,
    typePath: options.typePath ?? 'type',
    events,
    features: options.features,
    models: options.models,
    itemBytesMax,
  }
}

/** Models that are computed and stored, and not served. */
export function shadowNames({ models }: Pick<Pipeline, 'models'>): ReadonlySet<string> {
  return new Set(models.flatMap(({ name, shadowOf }) => (shadowOf === undefined ? [] : [name])))
}

function refuseLostShadows(models: readonly ModelDefinition[]): void {
  const byName = new Map(models.map(model => [model.name, model]))
  for (const { name, shadowOf } of models) {
    if (shadowOf === undefined) continue
    const of = byName.get(shadowOf)
    if (of === undefined) {
      throw new DefinitionError(`The model ${name} is a shadow of ${shadowOf}, which is not there`, 'Name one that is.')
    }
    if (of.shadowOf !== undefined) {
      const next = `Name the one that is served: ${of.shadowOf}.`
      throw new DefinitionError(`The model ${name} is a shadow of ${shadowOf}, which is a shadow itself`, next)
    }
  }
}

function countedEvents({ features }: FeatureSet): EventContract[] {
  return Object.values(features).flatMap(feature => aggregatesOf(feature).map(({ event }) => event))
}

function refuseRepeats(what: string, names: readonly string[]): void {
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  if (repeated !== undefined) throw new DefinitionError(`The ${what} "${repeated}" is defined twice`, 'Rename one.')
}
