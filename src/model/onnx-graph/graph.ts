// An ONNX graph as far as packing has to know it (onnx.proto3 of onnx/onnx 1.21): nodes by what they take and give, and what goes in
// and comes out, each beside its own bytes.
import { ModelError } from '../errors.ts'
import { bodiesOf, bodyOf, decodeText, fieldsOf, textsOf, varintsOf } from './wire.ts'

export const MODEL = { graph: 7, opset: 8, irVersion: 1, producer: 2, producerVersion: 3 } as const
export const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12, valueInfo: 13 } as const
export const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5, domain: 7 } as const
export const ATTRIBUTE = {
  name: 1,
  float: 2,
  int: 3,
  text: 4,
  tensor: 5,
  floats: 7,
  ints: 8,
  texts: 9,
  type: 20,
} as const
export const VALUE = { name: 1, type: 2 } as const
export const TYPE = { tensor: 1, sequence: 4, map: 5, optional: 9 } as const
export const TENSOR_TYPE = { element: 1, shape: 2 } as const
export const SHAPE = { dimension: 1 } as const
export const DIMENSION = { value: 1, parameter: 2 } as const
export const TENSOR = { dimensions: 1, type: 2, texts: 6, name: 8, raw: 9 } as const

export interface GraphNode {
  readonly operator: string
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly body: Uint8Array
}

export type ValueKind = 'tensor' | 'sequence' | 'map' | 'optional' | 'unknown'

export interface GraphValue {
  readonly name: string
  readonly kind: ValueKind
  /** As ONNX counts them: 1 is a 32-bit float. */
  readonly element: number
  /** A number, or undefined where it is open; no list where nothing is said of it. */
  readonly shape: readonly (number | undefined)[] | undefined
}

export interface Graph {
  readonly nodes: readonly GraphNode[]
  /** Without those that are constants with a name. */
  readonly inputs: readonly GraphValue[]
  readonly outputs: readonly GraphValue[]
  readonly constants: ReadonlySet<string>
}

/** Throws ModelError `model-refused`. */
export function readGraph(model: Uint8Array): Graph {
  const graph = bodyOf(model, MODEL.graph)
  if (graph === undefined) {
    throw new ModelError('The model is refused: it is not an ONNX model', {
      code: 'model-refused',
      next: 'Export it as one self-contained ONNX file with standard operators.',
    })
  }
  const constants = new Set(bodiesOf(graph, GRAPH.initializer).flatMap(tensor => textsOf(tensor, TENSOR.name)))
  return {
    nodes: bodiesOf(graph, GRAPH.node).map(readNode),
    inputs: bodiesOf(graph, GRAPH.input)
      .map(readValue)
      .filter(({ name }) => !constants.has(name)),
    outputs: bodiesOf(graph, GRAPH.output).map(readValue),
    constants,
  }
}

export function readNode(body: Uint8Array): GraphNode {
  return {
    operator: textsOf(body, NODE.operator).at(-1) ?? '',
    domain: textsOf(body, NODE.domain).at(-1) ?? '',
    inputs: textsOf(body, NODE.input),
    outputs: textsOf(body, NODE.output),
    body,
  }
}

export function readValue(body: Uint8Array): GraphValue {
  const type = bodyOf(body, VALUE.type) ?? new Uint8Array(0)
  const tensor = bodyOf(type, TYPE.tensor)
  const shape = tensor === undefined ? undefined : bodyOf(tensor, TENSOR_TYPE.shape)
  return {
    name: textsOf(body, VALUE.name).at(-1) ?? '',
    kind: kindOf(type),
    element: tensor === undefined ? 0 : Number(varintsOf(tensor, TENSOR_TYPE.element).at(-1) ?? 0n),
    shape: shape === undefined ? undefined : bodiesOf(shape, SHAPE.dimension).map(sizeOf),
  }
}

/** Not even a number is one that cannot be: -1 and 0 are how some exporters write an open one. */
function sizeOf(dimension: Uint8Array): number | undefined {
  const value = varintsOf(dimension, DIMENSION.value).at(-1)
  return value === undefined || value <= 0n ? undefined : Number(value)
}

function kindOf(type: Uint8Array): ValueKind {
  for (const { number } of fieldsOf(type)) {
    if (number === TYPE.tensor) return 'tensor'
    if (number === TYPE.sequence) return 'sequence'
    if (number === TYPE.map) return 'map'
    if (number === TYPE.optional) return 'optional'
  }
  return 'unknown'
}

/** Texts or whole numbers of an attribute, as texts. */
export function attributeList(node: GraphNode, ...names: readonly string[]): readonly string[] | undefined {
  for (const attribute of bodiesOf(node.body, NODE.attribute)) {
    if (!names.includes(textsOf(attribute, ATTRIBUTE.name).at(-1) ?? '')) continue
    const texts = bodiesOf(attribute, ATTRIBUTE.texts).map(decodeText)
    const values = texts.length > 0 ? texts : varintsOf(attribute, ATTRIBUTE.ints).map(String)
    if (values.length > 0) return values
  }
  return undefined
}
