// Two definitions of one pipeline, held against each other: what came, what went, what is another one under its old name, and what
// is the old one under another name.
import type { JsonObject } from '../event/describe-contract.ts'
import type { Definitions, DescribedFeature, DescribedModel } from './definitions.ts'
import { memberText } from './definition-text.ts'
import { jsonDifferences } from './json-differences.ts'

export interface DefinitionsDiff {
  readonly features: {
    readonly added: readonly DescribedFeature[]
    readonly dropped: readonly DescribedFeature[]
    readonly changed: readonly ChangedFeature[]
    /** One fingerprint, two names. */
    readonly renamed: readonly RenamedFeature[]
  }
  readonly contracts: NamedChanges
  readonly models: NamedChanges
  /** Of the pipeline itself, in words. */
  readonly pipeline: readonly string[]
}

export interface ChangedFeature {
  readonly name: string
  readonly before: DescribedFeature
  readonly after: DescribedFeature
  readonly words: readonly string[]
}

export interface RenamedFeature {
  readonly from: string
  readonly to: string
  readonly feature: DescribedFeature
}

export interface NamedChanges {
  readonly added: readonly string[]
  readonly dropped: readonly string[]
  readonly changed: readonly { readonly name: string; readonly words: readonly string[] }[]
}

export function diffDefinitions(before: Definitions, after: Definitions): DefinitionsDiff {
  return {
    features: diffFeatures(before.features, after.features),
    contracts: diffNamed(byType(before.events), byType(after.events), contractWords),
    models: diffNamed(byName(before.models), byName(after.models), modelWords),
    pipeline: (['typePath', 'itemBytesMax', 'evaluation'] as const).flatMap(name =>
      before[name] === after[name] ? [] : [`${name} ${before[name]} → ${after[name]}`],
    ),
  }
}

/** Whether anything in it is to be told. */
export function isEmptyDiff({ features, contracts, models, pipeline }: DefinitionsDiff): boolean {
  const lists = [features, contracts, models].flatMap(changes => Object.values(changes) as (readonly unknown[])[])
  return [...lists, pipeline].every(list => list.length === 0)
}

function diffFeatures(
  before: readonly DescribedFeature[],
  after: readonly DescribedFeature[],
): DefinitionsDiff['features'] {
  const [old, now] = [byName(before), byName(after)]
  const dropped = new Map(before.filter(({ name }) => !now.has(name)).map(feature => [feature.name, feature]))
  const added: DescribedFeature[] = []
  const renamed: RenamedFeature[] = []
  for (const feature of after) {
    if (old.has(feature.name)) continue
    const from = [...dropped.values()].find(({ fingerprint }) => fingerprint === feature.fingerprint)
    if (from === undefined) {
      added.push(feature)
      continue
    }
    dropped.delete(from.name)
    renamed.push({ from: from.name, to: feature.name, feature })
  }
  const changed = after.flatMap(feature => {
    const was = old.get(feature.name)
    if (was === undefined || was.fingerprint === feature.fingerprint) return []
    return [{ name: feature.name, before: was, after: feature, words: featureWords(was, feature) }]
  })
  return { added, dropped: [...dropped.values()], changed, renamed }
}

function featureWords(before: DescribedFeature, after: DescribedFeature): readonly string[] {
  if (before.text === after.text && kindOf(before) === 'derived') return ['a feature that it names is another one']
  const isOfOneKind = kindOf(before) === kindOf(after) && kindOf(after) !== 'derived'
  return isOfOneKind ? memberWords(before.definition, after.definition) : [`${before.text} → ${after.text}`]
}

function kindOf({ definition }: DescribedFeature): unknown {
  return (definition as { readonly kind?: unknown }).kind
}

function contractWords(before: JsonObject, after: JsonObject): readonly string[] {
  return memberWords(before, after)
}

function modelWords(before: DescribedModel, after: DescribedModel): readonly string[] {
  const [old, now] = [before.inputs, after.inputs].map(inputs => inputs.map(({ name }) => name))
  const differing = after.inputs.filter(({ name, fingerprint }) =>
    before.inputs.some(input => input.name === name && input.fingerprint !== fingerprint),
  )
  const isReordered = sorted(old) === sorted(now) && String(old) !== String(now)
  return [
    ...listWords(
      'input',
      'added',
      now?.filter(name => !old?.includes(name)),
    ),
    ...listWords(
      'input',
      'dropped',
      old?.filter(name => !now?.includes(name)),
    ),
    ...(isReordered ? ['its inputs are in another order'] : []),
    ...differing.map(({ name }) => `its input ${name} is defined otherwise`),
    ...memberWords(modelMembers(before), modelMembers(after)),
  ]
}

function modelMembers({ owner, about, shadowOf }: DescribedModel): JsonObject {
  return { owner, about, ...(shadowOf === undefined ? {} : { shadowOf }) }
}

function listWords(what: string, became: string, names: readonly string[] = []): readonly string[] {
  return names.length === 0 ? [] : [`${what} ${became}: ${names.join(', ')}`]
}

function sorted(names: readonly string[] = []): string {
  return String(names.toSorted())
}

/** `within 30d → 90d`, `fields.amount added`. What is under `state` of a feature is told as a part of the feature. */
function memberWords(before: DescribedFeature['definition'], after: DescribedFeature['definition']): readonly string[] {
  return jsonDifferences(before, after).map(({ path, before: was, after: is }) => {
    const name = path.at(-1) ?? ''
    const place = path
      .filter(step => step !== 'state')
      .join('.')
      .replace(/Ms$/, '')
    if (was === undefined) return `${place} added`
    if (is === undefined) return `${place} dropped`
    return `${place} ${memberText(name, was)} → ${memberText(name, is)}`
  })
}

function diffNamed<Value extends object>(
  before: ReadonlyMap<string, Value>,
  after: ReadonlyMap<string, Value>,
  wordsOf: (before: Value, after: Value) => readonly string[],
): NamedChanges {
  return {
    added: [...after.keys()].filter(name => !before.has(name)),
    dropped: [...before.keys()].filter(name => !after.has(name)),
    changed: [...after].flatMap(([name, value]) => {
      const was = before.get(name)
      const words = was === undefined ? [] : wordsOf(was, value)
      return words.length === 0 ? [] : [{ name, words }]
    }),
  }
}

function byName<Value extends { readonly name: string }>(values: readonly Value[]): ReadonlyMap<string, Value> {
  return new Map(values.map(value => [value.name, value]))
}

function byType(contracts: readonly JsonObject[]): ReadonlyMap<string, JsonObject> {
  return new Map(contracts.map(contract => [contract['type'] as string, contract]))
}
