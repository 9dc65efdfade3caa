// Files exported for a fixed number of rows, mostly one. Where every operator of the graph treats each row by itself, the number is
// opened: the sizes that are written down in the file are all that held it.
import { ModelError } from '../errors.ts'
import {
  GRAPH,
  type Graph,
  type GraphValue,
  MODEL,
  readGraph,
  readValue,
  SHAPE,
  TENSOR_TYPE,
  TYPE,
  VALUE,
} from './graph.ts'
import { editFields, messageField } from './wire.ts'

/** Of ai.onnx.ml: one row in, one row out. */
const ROW_BY_ROW_ML: ReadonlySet<string> = new Set(
  'ArrayFeatureExtractor Binarizer Imputer LabelEncoder LinearClassifier LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor ZipMap FeatureVectorizer'.split(
    ' ',
  ),
)
/** Of ONNX itself, where no size of theirs is the number of rows: Reshape, Expand, Slice and sums over axes are not among them. */
const ROW_BY_ROW: ReadonlySet<string> = new Set(
  'Abs Add Cast Clip Div Equal Erf Exp Gemm Greater Identity IsNaN LeakyRelu Less Log MatMul Max Min Mul Neg Not Or Pow Relu Sigmoid Softplus Sqrt Sub Tanh Where'.split(
    ' ',
  ),
)

export interface OpenRows {
  readonly model: Uint8Array
  readonly changes: readonly string[]
}

/** Throws ModelError `model-fixed-rows`. */
export function openRows(model: Uint8Array): OpenRows {
  const graph = readGraph(model)
  const fixed = graph.inputs.filter(({ shape }) => shape?.[0] !== undefined)
  const [first] = fixed
  if (first === undefined) return { model, changes: [] }
  const rows = first.shape?.[0] ?? 0
  const hindrance = whyNot(graph, fixed, rows)
  if (hindrance !== undefined) {
    throw new ModelError(`The model takes ${rows} rows at a time, no more and no fewer, and ${hindrance}`, {
      code: 'model-fixed-rows',
      next: 'Export it with the first dimension open; with skl2onnx: FloatTensorType([None, width]), with PyTorch: dynamic_axes.',
    })
  }
  const edited = editFields(model, field => {
    if (field.number !== MODEL.graph || field.body === undefined) return 'keep'
    return messageField(MODEL.graph, openGraph(field.body, graph.constants, rows))
  })
  const names = fixed.map(({ name }) => name).join(', ')
  return { model: edited, changes: [`Opened the number of rows of ${names}, which was fixed at ${rows}.`] }
}

function whyNot({ nodes }: Graph, fixed: readonly GraphValue[], rows: number): string | undefined {
  if (fixed.some(({ shape }) => shape?.[0] !== rows)) return 'its inputs do not agree on how many'
  const hindering = nodes.find(
    ({ operator, domain }) =>
      !(domain === 'ai.onnx.ml' ? ROW_BY_ROW_ML : domain === '' ? ROW_BY_ROW : new Set()).has(operator),
  )
  return hindering === undefined ? undefined : `its operator ${hindering.operator} may depend on that`
}

/** Of what is kept between nodes too, where the file says it. */
function openGraph(graph: Uint8Array, constants: ReadonlySet<string>, rows: number): Uint8Array {
  return editFields(graph, ({ number, body }) => {
    if (body === undefined || ![GRAPH.input, GRAPH.output, GRAPH.valueInfo].some(one => one === number)) return 'keep'
    const { name, shape } = readValue(body)
    return constants.has(name) || shape?.[0] !== rows ? 'keep' : messageField(number, openValue(body))
  })
}

function openValue(value: Uint8Array): Uint8Array {
  const within = (number: number, edit: (body: Uint8Array) => Uint8Array) => (message: Uint8Array) =>
    editFields(message, field =>
      field.number === number && field.body !== undefined ? messageField(number, edit(field.body)) : 'keep',
    )
  return within(VALUE.type, within(TYPE.tensor, within(TENSOR_TYPE.shape, openFirst)))(value)
}

function openFirst(shape: Uint8Array): Uint8Array {
  let isFirst = true
  return editFields(shape, ({ number }) => {
    if (number !== SHAPE.dimension || !isFirst) return 'keep'
    isFirst = false
    return messageField(SHAPE.dimension)
  })
}
