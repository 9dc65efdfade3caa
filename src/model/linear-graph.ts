// The coefficients of a regression as an ONNX graph: what R's glm and lm, and the fixed effects of lme4, predict. In 64 bits throughout,
// so that outputs are R's own.
import { ModelError } from './errors.ts'
import { GRAPH, MODEL, NODE, SHAPE, TENSOR, TENSOR_TYPE, TYPE, VALUE, ATTRIBUTE } from './onnx-graph/graph.ts'
import { concat, messageField, textField, varintField } from './onnx-graph/wire.ts'

/** What is done to the sum: nothing, the exponential, or the logistic function. */
export const LINKS = ['identity', 'log', 'logit'] as const
export type Link = (typeof LINKS)[number]

export interface Coefficient {
  /** As R calls it: `(Intercept)`, `spend90d`, `giftTRUE`, `channelweb`, `spend90d:giftTRUE`. */
  readonly term: string
  readonly estimate: number
}

export type FeatureKind = 'number' | 'flag' | 'text'

export interface LinearGraph {
  readonly model: Uint8Array
  /** The features that the terms name, in the order in which they are first named; an input of the file for each, of its name. */
  readonly inputs: readonly string[]
  readonly output: string
}

const INTERCEPT = '(Intercept)'
const OUTPUT = 'prediction'
const IR_VERSION = 9
/** The first in which texts can be compared. */
const OPSET = 19
const INT = 2
const [DOUBLE, STRING] = [11, 8]

/** Throws ModelError `coefficients-term`, `coefficients-invalid`. */
export function linearGraph(
  coefficients: readonly Coefficient[],
  link: Link,
  features: ReadonlyMap<string, FeatureKind>,
): LinearGraph {
  checkCoefficients(coefficients)
  const terms = coefficients.filter(({ term }) => term !== INTERCEPT)
  const parsed = terms.map(({ term }) => term.split(':').map(part => factorOf(part, term, features)))
  const inputs = [...new Set(parsed.flat().map(({ feature }) => feature))]
  const writer = new GraphWriter()
  for (const feature of inputs) writer.input(feature, features.get(feature) === 'text' ? STRING : DOUBLE)
  const columns = parsed.map(factors =>
    factors
      .map(factor => (factor.level === undefined ? factor.feature : writer.isLevel(factor.feature, factor.level)))
      .reduce((a, b) => writer.node('Mul', [a, b])),
  )
  const intercept = writer.doubles([1], [coefficients.find(({ term }) => term === INTERCEPT)?.estimate ?? 0])
  const estimates = writer.doubles(
    [terms.length, 1],
    terms.map(({ estimate }) => estimate),
  )
  const table = writer.node('Concat', columns, undefined, intAttribute('axis', 1))
  const sum = writer.node('Add', [writer.node('MatMul', [table, estimates]), intercept])
  writer.node({ identity: 'Identity', log: 'Exp', logit: 'Sigmoid' }[link], [sum], OUTPUT)
  return { model: writer.model(OUTPUT), inputs, output: OUTPUT }
}

function checkCoefficients(coefficients: readonly Coefficient[]): void {
  const names = coefficients.map(({ term }) => term)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  const wrong = coefficients.find(({ estimate }) => !Number.isFinite(estimate))
  if (twice !== undefined) throw invalid(`the term ${twice} stands twice`, 'Write each term once.')
  if (wrong !== undefined) {
    throw invalid(
      `the estimate of ${wrong.term} is no number`,
      'Leave out terms that R could not estimate (NA): they count for nothing.',
    )
  }
  if (names.every(name => name === INTERCEPT)) throw invalid('there is no term but the intercept', 'Add the terms.')
}

interface Factor {
  readonly feature: string
  /** Of a text: 1 where it is this, else 0. */
  readonly level?: string
}

/** R writes a level behind the name of its column; the longest feature that a term begins with is meant. */
function factorOf(part: string, term: string, features: ReadonlyMap<string, FeatureKind>): Factor {
  const kind = features.get(part)
  if (kind === 'number' || kind === 'flag') return { feature: part }
  const [feature] = [...features.keys()]
    .filter(name => part.startsWith(name) && part.length > name.length)
    .toSorted((a, b) => b.length - a.length)
  if (feature !== undefined) {
    const level = part.slice(feature.length)
    if (features.get(feature) === 'text') return { feature, level }
    if (features.get(feature) === 'flag' && level === 'TRUE') return { feature }
  }
  throw new ModelError(`The term ${term} is no feature of this model${part === term ? '' : `: ${part}`}`, {
    code: 'coefficients-term',
    next: `Terms are features (${[...features.keys()].join(', ')}), levels of texts, flags with TRUE, and products of them with ":". Make any other function of them a feature of its own, or save the model with xgboost, lightgbm or a library that writes ONNX.`,
  })
}

function invalid(what: string, next: string): ModelError {
  return new ModelError(`The coefficients are not right: ${what}`, { code: 'coefficients-invalid', next })
}

class GraphWriter {
  readonly #nodes: Uint8Array[] = []
  readonly #inputs: Uint8Array[] = []
  readonly #constants: Uint8Array[] = []
  readonly #levels = new Map<string, string>()
  #count = 0

  input(name: string, element: number): void {
    this.#inputs.push(columnValue(GRAPH.input, name, element))
  }

  node(
    operator: string,
    inputs: readonly string[],
    output = this.#name(),
    ...attributes: readonly Uint8Array[]
  ): string {
    this.#nodes.push(
      messageField(
        GRAPH.node,
        ...inputs.map(input => textField(NODE.input, input)),
        textField(NODE.output, output),
        textField(NODE.operator, operator),
        ...attributes,
      ),
    )
    return output
  }

  /** 1 where the text is the level, 0 where it is another, and NaN where it is missing, as R's predict gives NA. */
  isLevel(feature: string, level: string): string {
    const key = JSON.stringify([feature, level])
    const known = this.#levels.get(key)
    if (known !== undefined) return known
    const isLike = (text: string): string => this.node('Equal', [feature, this.#text(text)])
    const share = this.node('Cast', [isLike(level)], undefined, intAttribute('to', DOUBLE))
    const column = this.node('Where', [isLike(''), this.doubles([1], [Number.NaN]), share])
    this.#levels.set(key, column)
    return column
  }

  doubles(sizes: readonly number[], values: readonly number[]): string {
    const bytes = new Uint8Array(values.length * 8)
    const view = new DataView(bytes.buffer)
    for (const [index, value] of values.entries()) view.setFloat64(index * 8, value, true)
    return this.#constant(sizes, DOUBLE, messageField(TENSOR.raw, bytes))
  }

  model(output: string): Uint8Array {
    const graph = concat([
      ...this.#nodes,
      textField(GRAPH.name, 'regression'),
      ...this.#constants,
      ...this.#inputs,
      columnValue(GRAPH.output, output, DOUBLE),
    ])
    return concat([
      varintField(MODEL.irVersion, IR_VERSION),
      textField(MODEL.producer, 'millrace'),
      messageField(MODEL.graph, graph),
      messageField(MODEL.opset, varintField(2, OPSET)),
    ])
  }

  #text(text: string): string {
    return this.#constant([1], STRING, textField(TENSOR.texts, text))
  }

  #constant(sizes: readonly number[], element: number, data: Uint8Array): string {
    const name = this.#name()
    const dimensions = sizes.map(size => varintField(TENSOR.dimensions, size))
    this.#constants.push(
      messageField(
        GRAPH.initializer,
        ...dimensions,
        varintField(TENSOR.type, element),
        data,
        textField(TENSOR.name, name),
      ),
    )
    return name
  }

  /** A name with a colon is no feature. */
  #name(): string {
    return `:${this.#count++}`
  }
}

/** [rows, 1], the rows open. */
function columnValue(field: number, name: string, element: number): Uint8Array {
  const one = messageField(SHAPE.dimension, varintField(1, 1))
  const shape = messageField(TENSOR_TYPE.shape, messageField(SHAPE.dimension, textField(2, 'rows')), one)
  const type = messageField(TYPE.tensor, varintField(TENSOR_TYPE.element, element), shape)
  return messageField(field, textField(VALUE.name, name), messageField(VALUE.type, type))
}

function intAttribute(name: string, value: number): Uint8Array {
  return messageField(
    NODE.attribute,
    textField(ATTRIBUTE.name, name),
    varintField(ATTRIBUTE.int, value),
    varintField(ATTRIBUTE.type, INT),
  )
}
