// The type of a feature's values as a column: what snapshots and exports declare, so that every reader sees the same.
import type { Feature } from './define.ts'

export type FeatureColumnType = 'int64' | 'double' | 'string' | 'boolean'

export function featureColumnType(feature: Feature): FeatureColumnType {
  if (feature.kind === 'ratio') return 'double'
  if (feature.aggregate === 'count' || feature.aggregate === 'recency') return 'int64'
  if (feature.aggregate !== 'last' || feature.field === undefined) return 'double'
  switch (feature.event.fields[feature.field]?.kind) {
    case 'flag':
      return 'boolean'
    case 'number':
      return 'double'
    default:
      return 'string'
  }
}
