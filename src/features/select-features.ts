// Some features of a set, with those that they name: a value depends on nothing else, so the rest need not be folded.
import { namesIn } from './expression.ts'
import type { Feature, FeatureSet } from './feature.ts'

/** `names` are of the set. */
export function selectFeatures({ features }: FeatureSet, names: readonly string[]): FeatureSet {
  const needed = new Set(names)
  // A set is walked in the order in which it grows.
  for (const name of needed) {
    const feature = features[name]
    if (feature?.kind === 'derived') for (const named of namesIn(feature.expression)) needed.add(named)
  }
  const selected: Record<string, Feature> = {}
  for (const name of needed) {
    const feature = features[name]
    if (feature !== undefined) selected[name] = feature
  }
  return { kind: 'features', features: selected }
}
