// The people that two versions are asked about: rows of features by name, from a snapshot, or from the golden rows of a version.
import type { FeaturesBody, FeatureValue } from '../features/features-body.ts'
import type { ArtifactManifest, ModelInput } from './artifact-manifest.ts'
import type { GoldenRows } from './golden.ts'

export type InputRow = Pick<FeaturesBody, 'values' | 'pending'>

/** Whole numbers beyond 2^53 come as bigint from Parquet; a model takes numbers. */
export function toFeatureValue(value: unknown): FeatureValue {
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' ? value : null
}

/** Golden rows are what the model itself takes: flags are 1 and 0, and what was missing is filled in already. */
export function goldenInputRows({ inputs }: GoldenRows, manifest: ArtifactManifest): readonly InputRow[] {
  return inputs.map(row => ({
    values: Object.fromEntries(manifest.inputs.map(({ name, type }, index) => [name, goldenValue(row[index], type)])),
  }))
}

function goldenValue(cell: number | string | undefined, type: ModelInput['type']): FeatureValue {
  if (cell === undefined || (cell === 'nan' && type !== 'text')) return null
  return type === 'text' ? String(cell) : Number(cell)
}

/** Of the row what the model asks for. */
export function inputRow({ values, pending }: InputRow, inputs: readonly ModelInput[]): InputRow {
  const own = inputs.flatMap(({ name }) => (Object.hasOwn(values, name) ? [[name, values[name] ?? null] as const] : []))
  return { values: Object.fromEntries(own), ...(pending === undefined ? {} : { pending }) }
}
