// A look into an ONNX file before any runtime opens it. Tensors that live in other files are refused (their names can point
// anywhere on the machine), and so are operators that are not ONNX's own and graphs nested or chained without end.
import { ModelError } from './errors.ts'
import { type Field, fieldsOf } from './onnx-graph/wire.ts'

/** Which fields of which message lead on to which: the part of onnx.proto3 (onnx/onnx 1.21) that can hold a tensor or a domain. */
const FIELDS: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 8: 'opset', 20: 'training', 25: 'function' },
  training: { 1: 'graph', 2: 'graph' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparseTensor' },
  function: { 7: 'node', 9: 'opset', 11: 'attribute' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparseTensor', 23: 'sparseTensor' },
  sparseTensor: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
  opset: {},
}

type Message = 'model' | 'training' | 'graph' | 'function' | 'node' | 'attribute' | 'sparseTensor' | 'tensor' | 'opset'

/** Where a message names an operator domain. */
const DOMAIN_FIELD: Partial<Record<Message, number>> = { node: 7, opset: 1 }
const DOMAINS: ReadonlySet<string> = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft'])

const EXTERNAL_DATA_FIELD = 13
const DATA_LOCATION_FIELD = 14

/** A graph in a graph in a graph: If and Loop in real models go three or four deep. */
const DEPTH_MAX = 64
/** Chains of some thousand model-local functions overflow the runtime's stack. */
const FUNCTIONS_MAX = 64

/** Throws ModelError `model-refused`, `model-external-data`, `model-domain`, `model-too-deep`. */
export function checkModelFile(bytes: Uint8Array): void {
  const counts = { functions: 0, graphs: 0 }
  walk(bytes, 'model', 0, counts)
  if (counts.graphs === 0) throw refused('it is not an ONNX model')
}

function walk(bytes: Uint8Array, message: Message, depth: number, counts: { functions: number; graphs: number }): void {
  if (depth > DEPTH_MAX) throw refused(`it is nested more than ${DEPTH_MAX} deep`, 'model-too-deep')
  for (const field of fieldsOf(bytes)) {
    if (message === 'tensor' && isExternal(field)) {
      throw refused('a tensor of it lies in another file', 'model-external-data', INSIDE_ONE_FILE)
    }
    if (field.body === undefined) continue
    if (field.number === DOMAIN_FIELD[message]) checkDomain(field.body)
    const next = FIELDS[message][field.number]
    if (next === undefined) continue
    if (next === 'graph') counts.graphs++
    if (next === 'function' && ++counts.functions > FUNCTIONS_MAX) {
      throw refused(`it has over ${FUNCTIONS_MAX} functions`, 'model-too-deep')
    }
    walk(field.body, next, depth + 1, counts)
  }
}

function isExternal({ number, varint }: Field): boolean {
  return number === EXTERNAL_DATA_FIELD || (number === DATA_LOCATION_FIELD && varint !== 0n)
}

function checkDomain(body: Uint8Array): void {
  const domain = new TextDecoder().decode(body)
  if (!DOMAINS.has(domain)) throw refused(`its operators of "${domain}" are not ONNX's own`, 'model-domain')
}

const SELF_CONTAINED = 'Export it as one self-contained ONNX file with standard operators.'
/** As each tool calls it: of PyTorch's and MLflow's exporters the other way is the default. */
const INSIDE_ONE_FILE =
  'Write it with its tensors inside: onnx.save_model(onnx.load(path), path, save_as_external_data=False), with the other file ' +
  'still beside it; torch.onnx.export(…, external_data=False); ' +
  'mlflow.onnx.log_model(…, save_as_external_data=False), and save_model alike.'

function refused(why: string, code = 'model-refused', next = SELF_CONTAINED): ModelError {
  return new ModelError(`The model is refused: ${why}`, { code, next })
}
