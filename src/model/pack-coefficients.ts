// A regression that is known by its coefficients alone, as a graph ready to be packed, and the coefficients as its papers keep them.
import { deflateSync } from 'node:zlib'
import { canonicalJson } from '../platform/canonical-json.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { ManifestInput } from './artifact-manifest.ts'
import { type Coefficient, type FeatureKind, type Link, linearGraph } from './linear-graph.ts'
import type { PackedGraph } from './pack-graph.ts'

/** As many as people read; more are a hash. */
const FINAL_VALUES_MAX = 1_000

export interface PackedCoefficients {
  readonly graph: PackedGraph
  readonly finalValues: NonNullable<ManifestInput['finalValues']>
}

/** Throws ModelError `coefficients-term`, `coefficients-invalid`. */
export function packCoefficients(
  coefficients: readonly Coefficient[],
  link: Link,
  features: ReadonlyMap<string, FeatureKind>,
): PackedCoefficients {
  const { model, inputs, output } = linearGraph(coefficients, link, features)
  const isProbability = link === 'logit'
  return {
    graph: {
      model,
      inputs: inputs.map(tensor => ({
        tensor,
        element: features.get(tensor) === 'text' ? 'string' : 'float64',
        width: 1,
      })),
      outputs: [{ tensor: output, kind: 'number', isProbability }],
      changes: [`Wrote the graph from ${coefficients.length} coefficients, with the link ${link}, in 64 bits.`],
    },
    finalValues: finalValuesOf(coefficients),
  }
}

function finalValuesOf(coefficients: readonly Coefficient[]): PackedCoefficients['finalValues'] {
  const json = canonicalJson(Object.fromEntries(coefficients.map(({ term, estimate }) => [term, estimate])))
  if (coefficients.length > FINAL_VALUES_MAX) return { sha256: sha256Hex(json), count: coefficients.length }
  return { zlibJson: deflateSync(json).toString('base64') }
}
