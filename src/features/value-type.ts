// What kind of value a feature has, from its definition alone: typed columns must be declared before the first value is seen.
import type { ColumnType } from '../catalog/columns.ts'
import type { Expression } from './expression.ts'
import type { AggregateFeature, Feature } from './feature.ts'

/** `json`: a list or an object. */
export type FeatureType = 'number' | 'text' | 'flag' | 'json'

/** The column of a feature in every table that has one. */
export const FEATURE_COLUMNS = {
  number: 'double',
  text: 'string',
  flag: 'boolean',
  json: 'json',
} as const satisfies Record<FeatureType, ColumnType>

type Features = Readonly<Record<string, Feature>>

/** `set`: where the names of derived features are looked up. */
export function featureType(feature: Feature, set: Features = {}): FeatureType {
  switch (feature.kind) {
    case 'ratio':
      return 'number'
    case 'derived':
      return expressionType(feature.expression, set)
    case 'aggregate':
      return aggregateType(feature)
  }
}

function aggregateType({ aggregate, by, event, field }: AggregateFeature): FeatureType {
  if (by !== undefined) return 'json'
  switch (aggregate) {
    case 'firstK':
    case 'lastK':
    case 'topK':
    case 'histogram':
      return 'json'
    case 'first':
    case 'last':
      return fieldType(field === undefined ? undefined : event.fields[field]?.kind)
    default:
      return 'number'
  }
}

function fieldType(kind: string | undefined): FeatureType {
  return kind === 'flag' ? 'flag' : kind === 'text' || kind === 'choice' ? 'text' : 'number'
}

function expressionType(expression: Expression, set: Features): FeatureType {
  switch (expression.kind) {
    case 'constant':
      return typeof expression.value === 'number' ? 'number' : typeof expression.value === 'string' ? 'text' : 'flag'
    case 'name': {
      const named = Object.hasOwn(set, expression.name) ? set[expression.name] : undefined
      return named === undefined ? 'number' : featureType(named, set)
    }
    case 'feature':
      return featureType(expression.feature, set)
    case 'operation':
      return operationType(expression, set)
  }
}

function operationType({ operator, operands }: Extract<Expression, { kind: 'operation' }>, set: Features): FeatureType {
  switch (operator) {
    case 'above':
    case 'atLeast':
    case 'below':
    case 'atMost':
    case 'equals':
    case 'not':
    case 'all':
    case 'any':
    case 'isNull':
      return 'flag'
    case 'coalesce':
    case 'when': {
      const [type = 'number', ...others] = operands.slice(operator === 'when' ? 1 : 0).map(o => expressionType(o, set))
      return others.every(other => other === type) ? type : 'json'
    }
    default:
      return 'number'
  }
}
