// From features to a model's row. What fits is decided once per model and definition: same inputs, same fingerprints. A
// model depends on its own inputs and on no other feature, so only those can make it wait.
import type { FeaturesBody, FeatureValue } from '../features/features-body.ts'
import type { FeatureType } from '../features/value-type.ts'
import type { ArtifactManifest, ModelInput } from './artifact-manifest.ts'

export type InputPlan =
  | { readonly kind: 'ready'; readonly inputs: readonly ModelInput[] }
  /** For everybody, until one of the two is changed: why, for people. */
  | { readonly kind: 'not-ready'; readonly detail: string }

export interface DefinedFeature {
  readonly fingerprint: string
  readonly type: FeatureType
}

/** Holds the model as trained against the model and the features as defined. */
export function planModelInputs(
  manifest: ArtifactManifest,
  inputs: readonly string[],
  features: ReadonlyMap<string, DefinedFeature>,
): InputPlan {
  const problems: string[] = []
  for (const { name, fingerprint, type } of manifest.inputs) {
    const feature = features.get(name)
    if (!inputs.includes(name)) problems.push(`${name} is not an input of its definition`)
    else if (feature === undefined) problems.push(`${name} is not defined`)
    else if (feature.fingerprint !== fingerprint) problems.push(`${name} was defined otherwise when it was trained`)
    else if (feature.type !== type) problems.push(`${name} is ${feature.type}, not ${type}`)
  }
  const listed = new Set(manifest.inputs.map(input => input.name))
  for (const name of inputs) if (!listed.has(name)) problems.push(`it was trained without ${name}`)
  if (problems.length > 0) return { kind: 'not-ready', detail: problems.join('; ') }
  return { kind: 'ready', inputs: manifest.inputs }
}

/**
 * Writes one user's inputs into `rows` from `offset` on. Returns why not, where an input is pending or is nothing that a
 * 32-bit float can say; the row is then not to be run.
 */
export function fillInputRow(
  inputs: readonly ModelInput[],
  { values, pending }: Pick<FeaturesBody, 'values' | 'pending'>,
  rows: Float32Array,
  offset: number,
): string | undefined {
  for (const [index, { name, missing }] of inputs.entries()) {
    const reason = pending !== undefined && Object.hasOwn(pending, name) ? pending[name] : undefined
    if (reason !== undefined) return `${name} is ${reason}`
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) return `${name} is not there`
    const number = toNumber(value, missing)
    if (number === undefined) return `${name} is not a number`
    rows[offset + index] = number
    if (!Number.isFinite(rows[offset + index]) && Number.isFinite(number)) return `${name} is beyond 32 bits`
  }
  return undefined
}

function toNumber(value: FeatureValue, missing: ModelInput['missing']): number | undefined {
  if (value === null) return missing === 'nan' ? Number.NaN : missing
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'number' ? value : undefined
}
