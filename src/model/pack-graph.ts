// An ONNX file as somebody else exported it, made ready to be served: what goes in and what comes out is found in its graph, what the
// runtime of Node cannot return is taken out, and every change is said in words. What cannot be served is refused with the way out.
import { checkModelFile } from './check-model-file.ts'
import { ModelError } from './errors.ts'
import { findOutputs, type FoundOutput } from './onnx-graph/find-outputs.ts'
import { type GraphValue, readGraph } from './onnx-graph/graph.ts'
import { openRows } from './onnx-graph/open-rows.ts'
import { withoutZipMaps } from './onnx-graph/zip-map.ts'

export type InputElement = 'float32' | 'float64' | 'int64' | 'int32' | 'bool' | 'string'

export interface FoundInput {
  /** The ONNX input. */
  readonly tensor: string
  readonly element: InputElement
  /** How many columns; undefined where the file leaves it open. */
  readonly width: number | undefined
}

export interface PackedGraph {
  readonly model: Uint8Array
  readonly inputs: readonly FoundInput[]
  readonly outputs: readonly FoundOutput[]
  /** One sentence each; none: the bytes are those that were given. */
  readonly changes: readonly string[]
}

/** ONNX's numbers of element types (TensorProto.DataType). */
const ELEMENTS: Readonly<Record<number, InputElement>> = {
  1: 'float32',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  11: 'float64',
}

/** Throws ModelError: those of `checkModelFile`, `model-input-kind`, `model-input-type`, `model-input-shape`, `model-outputs-sequences`, `model-only-zip-map`, `model-fixed-rows`. */
export function packGraph(bytes: Uint8Array): PackedGraph {
  checkModelFile(bytes)
  const given = readGraph(bytes)
  const inputs = given.inputs.map(foundInput)
  if (inputs.length === 0)
    throw refused('it has no inputs', 'model-input-kind', 'Export the model with its features as inputs.')
  const wide = inputs.find(({ width }) => width !== 1)
  if (inputs.length > 1 && wide !== undefined) {
    const what = `it has ${inputs.length} inputs, and ${wide.tensor} of them has ${wide.width ?? 'any number of'} columns`
    throw refused(
      what,
      'model-input-shape',
      'Export it with one input of all features, or with an input for each feature.',
    )
  }
  const unmapped = withoutZipMaps(bytes)
  const open = openRows(unmapped.model)
  const outputs = findOutputs(readGraph(open.model), unmapped.zipped)
  return { model: open.model, inputs, outputs, changes: [...unmapped.changes, ...open.changes] }
}

function foundInput({ name, kind, element, shape }: GraphValue): FoundInput {
  if (kind !== 'tensor') {
    const next =
      'Export it behind the step that makes maps or lists of values (DictVectorizer and the like), on a table of features.'
    throw refused(`its input ${name} is a ${kind}, and features are tensors`, 'model-input-kind', next)
  }
  const type = ELEMENTS[element]
  if (type === undefined) {
    const next = 'Export it with 32-bit or 64-bit floats, whole numbers, flags or texts as inputs.'
    throw refused(
      `its input ${name} takes an element type (${element}) that features are not`,
      'model-input-type',
      next,
    )
  }
  if (shape !== undefined && shape.length !== 1 && shape.length !== 2) {
    const sizes = shape.map(size => size ?? 'any').join(' × ')
    throw refused(
      `its input ${name} has the shape ${sizes || 'of one value'}`,
      'model-input-shape',
      'Export it with inputs of rows × columns.',
    )
  }
  return { tensor: name, element: type, width: shape === undefined ? undefined : shape.length === 1 ? 1 : shape[1] }
}

function refused(why: string, code: string, next: string): ModelError {
  return new ModelError(`The model cannot be served: ${why}`, { code, next })
}
