// What models are held against: each feature's fingerprint and type.
import { featureType } from '../features/value-type.ts'
import type { DefinedFeature } from '../model/model-inputs.ts'
import type { CompiledPipeline } from './compile-pipeline.ts'

export function definedFeatures({
  pipeline,
  features,
}: Pick<CompiledPipeline, 'pipeline' | 'features'>): ReadonlyMap<string, DefinedFeature> {
  const defined = new Map<string, DefinedFeature>()
  for (const { name, fingerprint } of features.features) {
    const feature = pipeline.features.features[name]
    if (feature !== undefined)
      defined.set(name, { fingerprint, type: featureType(feature, pipeline.features.features) })
  }
  return defined
}
