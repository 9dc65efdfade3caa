// What kind of value a feature has, from its definition alone: typed columns must be declared before the first value is seen.
import type { Feature } from './define.ts'

export type FeatureType = 'number' | 'text' | 'flag'

export function featureType(feature: Feature): FeatureType {
  if (feature.kind === 'ratio' || feature.aggregate !== 'last' || feature.field === undefined) return 'number'
  switch (feature.event.fields[feature.field]?.kind) {
    case 'flag':
      return 'flag'
    case 'text':
    case 'choice':
      return 'text'
    default:
      return 'number'
  }
}
