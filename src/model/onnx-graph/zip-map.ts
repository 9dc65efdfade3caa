// A ZipMap makes a list of maps out of a table of probabilities, which the runtime of Node cannot return. It is taken out: the table that
// it was given is what comes out. And outputs that only a sequence can hold are left out where there are others.
import { ModelError } from '../errors.ts'
import {
  attributeList,
  GRAPH,
  type Graph,
  type GraphNode,
  type GraphValue,
  MODEL,
  readGraph,
  readNode,
  readValue,
  SHAPE,
  TENSOR_TYPE,
  TYPE,
  VALUE,
} from './graph.ts'
import { editFields, messageField, textField, varintField } from './wire.ts'

const FLOAT = 1

export interface WithoutMaps {
  readonly model: Uint8Array
  readonly changes: readonly string[]
  /** Tensor that a ZipMap was given → what is known of it. */
  readonly zipped: ReadonlyMap<string, Zipped>
}

export interface Zipped {
  /** The output that is no more. */
  readonly output: string
  /** What its columns are. */
  readonly classes: readonly string[] | undefined
}

/** Throws ModelError `model-outputs-sequences`, `model-only-zip-map`. */
export function withoutZipMaps(model: Uint8Array): WithoutMaps {
  const graph = readGraph(model)
  const maps = new Map(graph.nodes.filter(isZipMap).map(node => [node.outputs[0] ?? '', node]))
  const served = graph.outputs.filter(output => output.kind === 'tensor' || maps.has(output.name))
  const [first] = graph.outputs
  if (served.length === 0) throw sequencesOnly(first)
  const changes: string[] = []
  const zipped = new Map<string, Zipped>()
  const known = new Set(graph.outputs.filter(({ kind }) => kind === 'tensor').map(({ name }) => name))
  const replaceOutput = (body: Uint8Array): Uint8Array | 'drop' | 'keep' => {
    const output = readValue(body)
    if (output.kind === 'tensor') return 'keep'
    const map = maps.get(output.name)
    if (map === undefined) {
      changes.push(`Left out the output ${output.name}, which is a ${output.kind} and no tensor.`)
      return 'drop'
    }
    const source = map.inputs[0] ?? ''
    if (graph.inputs.some(({ name }) => name === source)) throw nothingElse(map)
    const labels = attributeList(map, 'classlabels_strings', 'classlabels_int64s')
    zipped.set(source, { output: output.name, classes: labels })
    changes.push(
      `Took out the ZipMap behind the output ${output.name}: the tensor ${source} that it was given is the output now${labels === undefined ? '' : `, a column for each of ${labels.join(', ')}`}.`,
    )
    if (known.has(source)) return 'drop'
    known.add(source)
    return tensorOutput(source, labels?.length)
  }
  const edited = editFields(model, field => {
    if (field.number !== MODEL.graph || field.body === undefined) return 'keep'
    const inner = editFields(field.body, ({ number, body }) => {
      if (body === undefined) return 'keep'
      if (number === GRAPH.output) return replaceOutput(body)
      return number === GRAPH.node && isDropped(readNode(body), graph) ? 'drop' : 'keep'
    })
    return messageField(MODEL.graph, inner)
  })
  return { model: changes.length === 0 ? model : edited, changes, zipped }
}

function isZipMap({ operator, domain }: GraphNode): boolean {
  return operator === 'ZipMap' && domain === 'ai.onnx.ml'
}

/** One whose maps another node takes stays: it is not for us to say what that node does. */
function isDropped(node: GraphNode, { nodes }: Graph): boolean {
  return isZipMap(node) && !nodes.some(({ inputs }) => inputs.some(input => node.outputs.includes(input)))
}

function tensorOutput(name: string, columns: number | undefined): Uint8Array {
  const open = messageField(SHAPE.dimension)
  const width = columns === undefined ? open : messageField(SHAPE.dimension, varintField(1, columns))
  const shape = messageField(TENSOR_TYPE.shape, open, width)
  const type = messageField(TYPE.tensor, varintField(TENSOR_TYPE.element, FLOAT), shape)
  return messageField(GRAPH.output, textField(VALUE.name, name), messageField(VALUE.type, type))
}

function nothingElse({ inputs, outputs }: GraphNode): ModelError {
  const what = `its output ${outputs[0]} is its input ${inputs[0]} behind a ZipMap`
  return new ModelError(`The model cannot be served, because there is none in the file: ${what}`, {
    code: 'model-only-zip-map',
    next: 'Export the classifier that comes before the ZipMap.',
  })
}

function sequencesOnly(output: GraphValue | undefined): ModelError {
  const what =
    output === undefined ? 'it has no outputs' : `its output ${output.name} is a ${output.kind}, and no tensor`
  return new ModelError(`The model cannot be served: ${what}`, {
    code: 'model-outputs-sequences',
    next: 'Export it with tensors as outputs; with skl2onnx: options={"zipmap": False}.',
  })
}
