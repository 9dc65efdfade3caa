// A definition as canonical plain data: what fingerprints are made of, and what manifests and the catalogue keep.
import type { Json } from '../platform/canonical-json.ts'
import { canonicalJson } from '../platform/canonical-json.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { Expression } from './expression.ts'
import type { AggregateFeature, Feature, Grouping } from './feature.ts'

type Features = Readonly<Record<string, Feature>>

/** By set, then by feature: where one is named twice by what is named twice itself, the ways to it double with every step. */
const fingerprints = new WeakMap<Features, WeakMap<Feature, string>>()

/** SHA-256. Two definitions that say the same have one, whatever the features that they name are called. `set`: where names are looked up. */
export function featureFingerprint(feature: Feature, set: Features = {}): string {
  const known = fingerprints.get(set) ?? new WeakMap<Feature, string>()
  fingerprints.set(set, known)
  const fingerprint = known.get(feature) ?? sha256Hex(canonicalJson(describeFeature(feature, set)))
  known.set(feature, fingerprint)
  return fingerprint
}

export function describeFeature(feature: Feature, set: Features = {}): Json {
  switch (feature.kind) {
    case 'derived':
      return { kind: 'derived', expression: describeExpression(feature.expression, set) }
    case 'ratio':
      return {
        kind: 'ratio',
        numerator: describeFeature(feature.numerator),
        denominator: describeFeature(feature.denominator),
      }
    case 'aggregate':
      return {
        kind: feature.aggregate,
        state: describeState(feature),
        withinMs: feature.withinMs ?? null,
        ...feature.readParameters,
      }
  }
}

/** What is kept of events for the feature: features that differ only in how they read it share a state. */
export function describeState(feature: AggregateFeature): Json {
  const { event, field, by, where } = feature
  const kind = field === undefined ? undefined : event.fields[field]?.kind
  return {
    event: event.type,
    field: field ?? null,
    aggregate: stateName(feature),
    where: where.map(({ field: name, operator, value }) => ({ field: name, operator, value })),
    by: by === undefined ? null : describeGrouping(feature, by),
    scale: feature.scale ?? null,
    // A number unless said: text that was a flag before is another feature.
    type: kind === undefined || kind === 'number' ? undefined : kind,
    ...feature.stateParameters,
  }
}

/** What the state is called in its fingerprint: stable, like the layout. */
export type StateName =
  | 'count'
  | 'sum'
  | 'mean'
  | 'min'
  | 'max'
  | 'moments'
  | 'oldest'
  | 'newest'
  | 'distinct'
  | 'quantiles'
  | 'histogram'
  | 'runs'

export function stateName({ aggregate, field }: Pick<AggregateFeature, 'aggregate' | 'field'>): StateName {
  switch (aggregate) {
    case 'variance':
    case 'stddev':
      return 'moments'
    case 'first':
    case 'firstK':
      return 'oldest'
    case 'last':
    case 'lastK':
    case 'recency':
      return 'newest'
    case 'percentile':
      return 'quantiles'
    case 'streak':
      return 'runs'
    case 'topK':
    case 'decayed':
      return field === undefined ? 'count' : 'sum'
    default:
      return aggregate
  }
}

function describeGrouping({ event }: AggregateFeature, { field, keysMax }: Grouping): Json {
  const definition = event.fields[field]
  return {
    field,
    keysMax,
    scale: definition?.kind === 'number' ? (definition.scale ?? null) : undefined,
    type: definition?.kind,
  }
}

function describeExpression(expression: Expression, set: Features): Json {
  switch (expression.kind) {
    case 'constant':
      return { value: expression.value }
    case 'name': {
      const named = Object.hasOwn(set, expression.name) ? set[expression.name] : undefined
      return { feature: named === undefined ? null : featureFingerprint(named, set) }
    }
    case 'feature':
      return { feature: featureFingerprint(expression.feature, set) }
    case 'operation':
      return {
        operator: expression.operator,
        operands: expression.operands.map(operand => describeExpression(operand, set)),
      }
  }
}

/** For people: `divide(spend90d, orders30d)`. */
export function expressionText(expression: Expression): string {
  switch (expression.kind) {
    case 'constant':
      return JSON.stringify(expression.value)
    case 'name':
      return expression.name
    case 'feature':
      return expression.feature.kind === 'aggregate' ? expression.feature.aggregate : expression.feature.kind
    case 'operation':
      return `${expression.operator}(${expression.operands.map(expressionText).join(', ')})`
  }
}
