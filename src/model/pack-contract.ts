// The inputs and outputs of a manifest, from what a graph has and what the pipeline defines: each input of the model is a feature with
// its fingerprint, and each output has the name that predictions give it.
import type { ManifestInput, ModelInput } from './artifact-manifest.ts'
import { ModelError } from './errors.ts'
import type { DefinedFeature } from './model-inputs.ts'
import type { FoundOutput } from './onnx-graph/find-outputs.ts'
import type { FoundInput, PackedGraph } from './pack-graph.ts'
import type { Papers } from './pack-papers.ts'

export interface ModelContract {
  readonly name: string
  /** The features that the pipeline gives it, in order. */
  readonly inputs: readonly string[]
}

type ManifestOutput = ManifestInput['outputs'][number]

/** Throws ModelError `model-inputs-differ`. */
export function contractInputs(
  { inputs: found }: Pick<PackedGraph, 'inputs'>,
  { name, inputs }: ModelContract,
  { papers, features }: { readonly papers: Papers; readonly features: ReadonlyMap<string, DefinedFeature> },
): ModelInput[] {
  const said = papers.inputs ?? {}
  const [first] = found
  const isNamed = found.length > 1 || (first !== undefined && isOwnColumn(first, inputs, said))
  const order = isWhole(Object.keys(said), inputs) ? Object.keys(said) : inputs
  const unknown = Object.keys(said).find(one => !inputs.includes(one))
  if (unknown !== undefined) throw differ(`the papers speak of ${unknown}, which is no input of ${name}`)
  if (!isNamed && first?.width !== undefined && first.width !== inputs.length) {
    throw differ(`it takes ${first.width} columns, and ${name} has ${inputs.length} inputs: ${inputs.join(', ')}`)
  }
  const used = new Set<string>()
  const listed = order.map((feature): ModelInput => {
    const { tensor = feature, missing, distribution } = said[feature] ?? {}
    const input = isNamed ? found.find(one => one.tensor === tensor) : first
    if (input === undefined)
      throw differ(`it has no input ${tensor}; it has ${found.map(one => one.tensor).join(', ')}`)
    used.add(input.tensor)
    const defined = features.get(feature)
    if (defined === undefined) throw differ(`${feature} is not defined`)
    const { type, fingerprint } = defined
    if (type === 'json') throw differ(`${feature} is a list or an object, which no input takes`)
    if ((input.element === 'string') !== (type === 'text')) {
      throw differ(`it takes ${input.element} for ${feature}, which is a ${type}`)
    }
    return {
      name: feature,
      fingerprint,
      type,
      missing: missing ?? missingOf(input),
      ...(isNamed && (tensor !== feature || found.length === 1) ? { tensor } : {}),
      ...(distribution === undefined ? {} : { distribution }),
    }
  })
  const left = found.find(({ tensor }) => !used.has(tensor))
  if (left !== undefined) throw differ(`its input ${left.tensor} is no feature of ${name}`)
  return listed
}

/** One input of one column, which is called as the feature is or as the papers say. */
function isOwnColumn(
  { tensor, width }: FoundInput,
  inputs: readonly string[],
  said: NonNullable<Papers['inputs']>,
): boolean {
  const [feature = ''] = inputs
  return width === 1 && inputs.length === 1 && (said[feature]?.tensor ?? feature) === tensor
}

function isWhole(order: readonly string[], inputs: readonly string[]): boolean {
  return order.length === inputs.length && inputs.every(one => order.includes(one))
}

/** What no number of a model says by itself: floats have a NaN, the others do not. */
function missingOf({ element }: FoundInput): ModelInput['missing'] {
  if (element === 'string') return ''
  return element === 'float32' || element === 'float64' ? 'nan' : 0
}

/** Two classes are one probability, that of the second; more are a score for each. */
export function contractOutputs(found: readonly FoundOutput[], papers: Papers): ManifestOutput[] {
  const names = new Set<string>()
  return found.map(output => {
    const { name, ...said } = papers.outputs?.[output.tensor] ?? {}
    const contract = { ...contractOutput(output), ...said }
    const wanted = name ?? contract.name
    const isTaken = names.has(wanted)
    names.add(isTaken ? output.tensor : wanted)
    return { ...contract, name: isTaken ? output.tensor.replaceAll(/[^A-Za-z0-9_.-]/g, '_') : wanted }
  })
}

function contractOutput({ tensor, kind, classes, isProbability }: FoundOutput): ManifestOutput {
  const range = isProbability ? { range: [0, 1] as [number, number] } : {}
  if (kind === 'label')
    return { name: 'label', kind, tensor, ...(classes === undefined ? {} : { classes: [...classes] }) }
  const [, second, third] = classes ?? []
  if (kind === 'number' || (second !== undefined && third === undefined)) {
    const meaning =
      second === undefined ? {} : { column: 1, meaning: `The ${isProbability ? 'probability' : 'score'} of ${second}.` }
    const name = isProbability ? 'probability' : second === undefined ? nameOf(tensor) : 'score'
    return { name, kind: 'number', tensor, ...meaning, ...range }
  }
  return {
    name: isProbability ? 'probabilities' : 'scores',
    kind: 'scores',
    tensor,
    classes: [...(classes ?? [])],
    ...range,
  }
}

/** `variable` is what exporters call the number of a regression. */
function nameOf(tensor: string): string {
  if (tensor === 'variable') return 'value'
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/.test(tensor) ? tensor : 'value'
}

function differ(what: string): ModelError {
  return new ModelError(`The file does not fit the model as it is defined: ${what}`, {
    code: 'model-inputs-differ',
    next: 'Make the inputs in src/pipeline those of the file, in its order, or say in the papers which feature is which: "inputs": { "feature": { "tensor": "name" } }.',
  })
}
