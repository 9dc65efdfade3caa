// From features to a model's row. What fits is decided once per model and definition: same inputs, same fingerprints. A
// model depends on its own inputs and on no other feature, so only those can make it wait.
import type { FeaturesBody, FeatureValue } from '../features/features-body.ts'
import { canonicalJson } from '../platform/canonical-json.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { FeatureType } from '../features/value-type.ts'
import type { ArtifactManifest, ModelInput } from './artifact-manifest.ts'
import type { InputTable } from './input-table.ts'

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

/** 48 bits, as of the definitions that an item was written under. */
const INPUTS_DIGITS = 12
const inputsNames = new WeakMap<ArtifactManifest, string>()

/** Names what goes in: the features with their fingerprints, in the order of columns. */
export function inputsName(manifest: ArtifactManifest): string {
  const known = inputsNames.get(manifest)
  if (known !== undefined) return known
  const inputs = manifest.inputs.map(({ name, fingerprint }) => [name, fingerprint])
  const named = sha256Hex(canonicalJson(inputs)).slice(0, INPUTS_DIGITS)
  inputsNames.set(manifest, named)
  return named
}

/** Rows of inputs as they are found, one user after the other. */
export class InputRows {
  readonly #inputs: readonly ModelInput[]
  readonly #columns: (Float64Array | string[])[]
  #rowCount = 0

  constructor(inputs: readonly ModelInput[], rowsMax: number) {
    this.#inputs = inputs
    this.#columns = inputs.map(({ type }) => (type === 'text' ? [] : new Float64Array(rowsMax)))
  }

  get rowCount(): number {
    return this.#rowCount
  }

  /** Returns why not, where an input is pending or of another type; there is then no row of it. */
  add({ values, pending }: Pick<FeaturesBody, 'values' | 'pending'>): string | undefined {
    for (const [index, input] of this.#inputs.entries()) {
      const { name } = input
      const reason = pending !== undefined && Object.hasOwn(pending, name) ? pending[name] : undefined
      if (reason !== undefined) return `${name} is ${reason}`
      const value = Object.hasOwn(values, name) ? values[name] : undefined
      if (value === undefined) return `${name} is not there`
      const column = this.#columns[index]
      if (column instanceof Float64Array) {
        const number = toNumber(value, input.missing)
        if (number === undefined) return `${name} is not a number`
        column[this.#rowCount] = number
      } else if (column !== undefined) {
        const text = value === null ? String(input.missing) : value
        if (typeof text !== 'string') return `${name} is not a text`
        column[this.#rowCount] = text
      }
    }
    this.#rowCount++
    return undefined
  }

  table(): InputTable {
    const columns = this.#columns.map(column => column.slice(0, this.#rowCount))
    return { rowCount: this.#rowCount, columns }
  }
}

function toNumber(value: FeatureValue, missing: ModelInput['missing']): number | undefined {
  if (value === null) return missing === 'nan' ? Number.NaN : Number(missing)
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'number' ? value : undefined
}
