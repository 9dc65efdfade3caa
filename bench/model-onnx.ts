// ONNX files of any size for the benches, written field by field as protobuf has them: a linear model, and ensembles of trees as
// gradient boosting makes them. Nothing is trained: what a tree costs depends on its shape.
import type { Random } from '../src/platform/random.ts'

/** As LightGBM's and XGBoost's defaults come to: 64 leaves. */
const TREE_DEPTH = 6

export interface LinearModel {
  readonly weights: readonly number[]
  readonly intercept: number
}

/** input `x` [rows, weights], output `y` [rows, 1]. */
export function linearOnnx({ weights, intercept }: LinearModel): Uint8Array {
  return modelProto('LinearRegressor', weights.length, [
    floats('coefficients', weights),
    floats('intercepts', [intercept]),
    int('targets', 1),
  ])
}

/** Whole trees whose splits are in [0, 1); input `x` [rows, inputs], output `y` [rows, 1]. */
export function treesOnnx(trees: number, inputs: number, random: Random): Uint8Array {
  const nodes = { tree: [], id: [], feature: [], value: [], mode: [], yes: [], no: [] } as Record<string, number[]> & {
    mode: number[]
  }
  const leaves = { tree: [], id: [], weight: [] } as Record<string, number[]>
  const inner = 2 ** TREE_DEPTH - 1
  for (let tree = 0; tree < trees; tree++) {
    for (let id = 0; id < 2 * inner + 1; id++) {
      const isLeaf = id >= inner
      nodes['tree']?.push(tree)
      nodes['id']?.push(id)
      nodes['feature']?.push(isLeaf ? 0 : Math.floor(random() * inputs))
      nodes['value']?.push(isLeaf ? 0 : random())
      nodes.mode.push(isLeaf ? 1 : 0)
      nodes['yes']?.push(isLeaf ? 0 : 2 * id + 1)
      nodes['no']?.push(isLeaf ? 0 : 2 * id + 2)
      if (!isLeaf) continue
      leaves['tree']?.push(tree)
      leaves['id']?.push(id)
      leaves['weight']?.push((random() - 0.5) / trees)
    }
  }
  const of = (from: Record<string, number[]>, name: string): readonly number[] => from[name] ?? []
  return modelProto('TreeEnsembleRegressor', inputs, [
    ints('nodes_treeids', of(nodes, 'tree')),
    ints('nodes_nodeids', of(nodes, 'id')),
    ints('nodes_featureids', of(nodes, 'feature')),
    floats('nodes_values', of(nodes, 'value')),
    strings(
      'nodes_modes',
      nodes.mode.map(mode => (mode === 1 ? 'LEAF' : 'BRANCH_LEQ')),
    ),
    ints('nodes_truenodeids', of(nodes, 'yes')),
    ints('nodes_falsenodeids', of(nodes, 'no')),
    ints('target_treeids', of(leaves, 'tree')),
    ints('target_nodeids', of(leaves, 'id')),
    ints(
      'target_ids',
      of(leaves, 'id').map(() => 0),
    ),
    floats('target_weights', of(leaves, 'weight')),
    int('n_targets', 1),
  ])
}

// Field numbers of onnx.proto3 (onnx/onnx 1.21).
const ML = 'ai.onnx.ml'
const [FLOAT, INT, FLOATS, INTS, STRINGS] = [1, 2, 6, 7, 8] as const
const ATTRIBUTE_TYPE = 20

function modelProto(operator: string, inputs: number, attributes: readonly Buffer[]): Uint8Array {
  const node = [text(1, 'x'), text(2, 'y'), text(3, 'model'), text(4, operator)]
  const withAttributes = [...node, ...attributes.map(attribute => bytes(5, attribute)), text(7, ML)]
  const graph = [
    bytes(1, Buffer.concat(withAttributes)),
    text(2, 'bench'),
    bytes(11, tensorInfo('x', inputs)),
    bytes(12, tensorInfo('y', 1)),
  ]
  const opset = (domain: string, version: number): Buffer => Buffer.concat([text(1, domain), number(2, version)])
  return Buffer.concat([number(1, 8), bytes(7, Buffer.concat(graph)), bytes(8, opset('', 17)), bytes(8, opset(ML, 3))])
}

/** Rows by a name, columns by a number. */
function tensorInfo(name: string, columns: number): Buffer {
  const shape = Buffer.concat([bytes(1, text(2, 'rows')), bytes(1, number(1, columns))])
  const tensor = Buffer.concat([number(1, FLOAT), bytes(2, shape)])
  return Buffer.concat([text(1, name), bytes(2, bytes(1, tensor))])
}

function int(name: string, value: number): Buffer {
  return Buffer.concat([text(1, name), number(3, value), number(ATTRIBUTE_TYPE, INT)])
}

function floats(name: string, values: readonly number[]): Buffer {
  const packed = Buffer.from(Float32Array.from(values).buffer)
  return Buffer.concat([text(1, name), bytes(7, packed), number(ATTRIBUTE_TYPE, FLOATS)])
}

function ints(name: string, values: readonly number[]): Buffer {
  return Buffer.concat([text(1, name), bytes(8, Buffer.concat(values.map(varint))), number(ATTRIBUTE_TYPE, INTS)])
}

function strings(name: string, values: readonly string[]): Buffer {
  return Buffer.concat([text(1, name), ...values.map(value => text(9, value)), number(ATTRIBUTE_TYPE, STRINGS)])
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)])
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value))
}

function bytes(field: number, body: Uint8Array): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body])
}

function varint(value: number): Buffer {
  const out: number[] = []
  let rest = value
  while (rest > 127) {
    out.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...out, rest])
}
