// What packing makes of graphs as few nodes as will do, and what it refuses.
import { expect, test } from 'vitest'
import {
  ATTRIBUTE,
  GRAPH,
  MODEL,
  NODE,
  readGraph,
  SHAPE,
  TENSOR_TYPE,
  TYPE,
  VALUE,
} from '../../src/model/onnx-graph/graph.ts'
import {
  bodiesOf,
  bodyOf,
  concat,
  fieldsOf,
  messageField,
  textField,
  varintField,
} from '../../src/model/onnx-graph/wire.ts'
import { packGraph } from '../../src/model/pack-graph.ts'
import { onnxFile } from './factories.ts'

const [FLOAT, UINT8, INT64, STRING] = [1, 2, 7, 8]
type Size = number | 'open'

function tensor(element: number, ...sizes: readonly Size[]): Uint8Array {
  const dimensions = sizes.map(size =>
    messageField(SHAPE.dimension, ...(size === 'open' ? [] : [varintField(1, size)])),
  )
  return messageField(
    TYPE.tensor,
    varintField(TENSOR_TYPE.element, element),
    messageField(TENSOR_TYPE.shape, ...dimensions),
  )
}
const SEQUENCE = messageField(TYPE.sequence)
const MAP = messageField(TYPE.map)

const value = (field: number, name: string, type: Uint8Array) =>
  messageField(field, textField(VALUE.name, name), messageField(VALUE.type, type))
const input = (name: string, type: Uint8Array) => value(GRAPH.input, name, type)
const output = (name: string, type: Uint8Array) => value(GRAPH.output, name, type)

function node(
  operator: string,
  from: string,
  to: string,
  { domain = '', labels = [] }: { domain?: string; labels?: string[] } = {},
) {
  const texts = labels.map(label => textField(ATTRIBUTE.texts, label))
  const attribute = messageField(NODE.attribute, textField(ATTRIBUTE.name, 'classlabels_strings'), ...texts)
  return messageField(
    GRAPH.node,
    textField(NODE.input, from),
    textField(NODE.output, to),
    textField(NODE.operator, operator),
    textField(NODE.domain, domain),
    ...(labels.length === 0 ? [] : [attribute]),
  )
}
const zipMap = (from: string, to: string, labels: string[]) =>
  node('ZipMap', from, to, { domain: 'ai.onnx.ml', labels })
const model = (...parts: readonly Uint8Array[]) => messageField(MODEL.graph, ...parts)
const WIDE = input('X', tensor(FLOAT, 'open', 3))

test('takes a ZipMap out, finds the classes, and carries through what it does not know', () => {
  const [unknownOfModel, unknownOfGraph] = [textField(900, 'of a later release'), varintField(901, 5)]
  const given = concat([
    unknownOfModel,
    model(
      WIDE,
      node('Relu', 'X', 'P'),
      zipMap('P', 'probabilities', ['a', 'b', 'c']),
      output('probabilities', SEQUENCE),
      unknownOfGraph,
    ),
    textField(902, 'after'),
  ])
  const packed = packGraph(given)
  expect(packed.inputs).toEqual([{ tensor: 'X', element: 'float32', width: 3 }])
  expect(packed.outputs).toEqual([{ tensor: 'P', kind: 'scores', classes: ['a', 'b', 'c'], isProbability: true }])
  expect(packed.changes).toHaveLength(1)
  expect(readGraph(packed.model).nodes.map(({ operator }) => operator)).toEqual(['Relu'])
  expect([...fieldsOf(packed.model)].map(({ number }) => number)).toEqual([900, 7, 902])
  const graph = bodyOf(packed.model, MODEL.graph) ?? new Uint8Array(0)
  expect([...fieldsOf(graph)].map(({ number }) => number)).toEqual([11, 1, 12, 901])
  expect(Buffer.from(graph).includes(Buffer.from(unknownOfGraph))).toBe(true)
  expect(Buffer.from(packed.model).includes(Buffer.from(unknownOfModel))).toBe(true)
})

test('leaves a file alone that needs nothing', () => {
  const given = model(WIDE, node('Relu', 'X', 'Y'), output('Y', tensor(FLOAT, 'open', 1)))
  expect(packGraph(given)).toEqual({
    model: given,
    changes: [],
    inputs: [{ tensor: 'X', element: 'float32', width: 3 }],
    outputs: [{ tensor: 'Y', kind: 'number', isProbability: false }],
  })
})

test('leaves out a sequence where there is a tensor too', () => {
  const outputs = [output('Y', tensor(INT64, 'open')), output('Z', SEQUENCE)]
  const packed = packGraph(model(WIDE, node('Relu', 'X', 'Y'), node('SplitToSequence', 'X', 'Z'), ...outputs))
  expect(packed.outputs.map(({ tensor: name, kind }) => [name, kind])).toEqual([['Y', 'label']])
  expect(packed.changes).toEqual(['Left out the output Z, which is a sequence and no tensor.'])
})

test('opens a fixed number of rows where every operator goes row by row', () => {
  const given = model(
    input('X', tensor(FLOAT, 1, 3)),
    node('Relu', 'X', 'M'),
    value(GRAPH.valueInfo, 'M', tensor(FLOAT, 1, 3)),
    node('Sigmoid', 'M', 'Y'),
    output('Y', tensor(FLOAT, 1, 3)),
  )
  const packed = packGraph(given)
  expect(packed.changes).toEqual(['Opened the number of rows of X, which was fixed at 1.'])
  const { inputs, outputs } = readGraph(packed.model)
  expect([...inputs, ...outputs].map(({ shape }) => shape)).toEqual([
    [undefined, 3],
    [undefined, 3],
  ])
  const graph = bodyOf(packed.model, MODEL.graph) ?? new Uint8Array(0)
  expect(bodiesOf(graph, GRAPH.valueInfo)).toEqual([
    bodyOf(value(GRAPH.valueInfo, 'M', tensor(FLOAT, 'open', 3)), GRAPH.valueInfo),
  ])
})

test.each([
  [
    'a map as input',
    [input('X', MAP), node('DictVectorizer', 'X', 'Y'), output('Y', tensor(FLOAT))],
    'model-input-kind',
  ],
  [
    'a sequence as input',
    [input('X', SEQUENCE), node('Identity', 'X', 'Y'), output('Y', tensor(FLOAT))],
    'model-input-kind',
  ],
  ['no inputs', [node('Relu', 'X', 'Y'), output('Y', tensor(FLOAT))], 'model-input-kind'],
  ['bytes as input', [input('X', tensor(UINT8, 'open', 3)), output('X', tensor(FLOAT))], 'model-input-type'],
  ['pictures as input', [input('X', tensor(FLOAT, 'open', 3, 8, 8)), output('Y', tensor(FLOAT))], 'model-input-shape'],
  ['two wide inputs', [WIDE, input('W', tensor(STRING, 'open', 2)), output('Y', tensor(FLOAT))], 'model-input-shape'],
  ['sequences only', [WIDE, node('SplitToSequence', 'X', 'Z'), output('Z', SEQUENCE)], 'model-outputs-sequences'],
  ['a ZipMap and nothing else', [WIDE, zipMap('X', 'Z', ['a', 'b', 'c']), output('Z', SEQUENCE)], 'model-only-zip-map'],
  [
    'rows that an operator may count',
    [input('X', tensor(FLOAT, 4, 3)), node('Softmax', 'X', 'Y'), output('Y', tensor(FLOAT, 4, 3))],
    'model-fixed-rows',
  ],
  [
    'operators of others',
    [WIDE, node('Own', 'X', 'Y', { domain: 'com.example' }), output('Y', tensor(FLOAT))],
    'model-domain',
  ],
] as const)('refuses %s', (_, parts, code) => {
  expect(() => packGraph(model(...parts))).toThrow(
    expect.objectContaining({ code, next: expect.stringMatching(/\.$/) }),
  )
})

test.each(['external', 'custom', 'functions'])('refuses what may not be opened: %s', fixture => {
  expect(() => packGraph(onnxFile(fixture))).toThrow(
    expect.objectContaining({ code: expect.stringContaining('model-') }),
  )
})
