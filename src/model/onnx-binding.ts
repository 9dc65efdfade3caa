// How the inputs of a manifest become the tensors that a file wants: one wide input, or one for each of them; 32-bit or 64-bit floats,
// whole numbers, flags or texts. And how a tensor that came out becomes a column of answers.
import { type InferenceSession, Tensor } from 'onnxruntime-node'
import type { ModelInput, ModelOutput } from './artifact-manifest.ts'
import { shortestFloat32 } from './check-outputs.ts'
import { ModelError } from './errors.ts'
import type { InputColumn, InputTable } from './input-table.ts'
import type { OutputColumn } from './model-session.ts'

type ElementType = 'float32' | 'float64' | 'int64' | 'int32' | 'bool' | 'string'

/** `wide`: one input [rows, features]; `named`: an input [rows, 1] or [rows] for each feature. */
export type Binding =
  | { readonly kind: 'wide'; readonly tensor: string; readonly type: ElementType }
  | { readonly kind: 'named'; readonly tensors: readonly NamedTensor[] }

interface NamedTensor {
  readonly tensor: string
  readonly type: ElementType
  /** [rows] instead of [rows, 1]. */
  readonly isFlat: boolean
}

const ELEMENT_TYPES: ReadonlySet<string> = new Set(['float32', 'float64', 'int64', 'int32', 'bool', 'string'])

/** Throws ModelError `model-contract`. */
export function bindInputs({ inputMetadata }: InferenceSession, inputs: readonly ModelInput[]): Binding {
  for (const input of inputMetadata) {
    if (!input.isTensor) throw contract(`its input ${input.name} is not a tensor`)
    if (!ELEMENT_TYPES.has(input.type)) throw contract(`its input ${input.name} takes ${input.type}`)
    if (isFixed(input.shape[0])) throw contract(`its input ${input.name} takes ${input.shape[0]} rows only`)
  }
  const [first] = inputMetadata
  const isNamed = inputMetadata.length > 1 || (inputs.length === 1 && inputs[0]?.tensor !== undefined)
  if (!isNamed && first?.isTensor === true && first.shape.length === 2) {
    const width = first.shape[1]
    if (width === inputs.length || !isFixed(width)) return wide(first.name, first.type as ElementType, inputs)
    throw contract(`its input has the shape ${first.shape.join(' × ')}, and the manifest lists ${inputs.length} inputs`)
  }
  const found = new Map(inputMetadata.map(input => [input.name, input]))
  const tensors = inputs.map((input): NamedTensor => {
    const tensor = input.tensor ?? input.name
    const metadata = found.get(tensor)
    if (metadata === undefined) throw contract(`it has no input ${tensor}`)
    found.delete(tensor)
    const shape = metadata.isTensor ? metadata.shape : []
    const isColumn = shape.length === 1 || (shape.length === 2 && (shape[1] === 1 || !isFixed(shape[1])))
    if (!isColumn || !metadata.isTensor) throw contract(`its input ${tensor} is no column`)
    checkType(input, metadata.type as ElementType)
    return { tensor, type: metadata.type as ElementType, isFlat: shape.length === 1 }
  })
  const [unlisted] = found.keys()
  if (unlisted !== undefined) throw contract(`the manifest does not list its input ${unlisted}`)
  return { kind: 'named', tensors }
}

function wide(tensor: string, type: ElementType, inputs: readonly ModelInput[]): Binding {
  for (const input of inputs) checkType(input, type)
  return { kind: 'wide', tensor, type }
}

function checkType({ name, type }: ModelInput, element: ElementType): void {
  if ((element === 'string') === (type === 'text')) return
  throw contract(`it takes ${element} for ${name}, which is a ${type}`)
}

/** A dimension left open is a name, or -1. */
function isFixed(dimension: number | string | undefined): boolean {
  return typeof dimension === 'number' && dimension >= 0
}

/** Rows whose value the file's type cannot say are told to `refuse`; something stands in their place. */
export function feedsOf(
  binding: Binding,
  inputs: readonly ModelInput[],
  { columns, rowCount }: InputTable,
  refuse: (row: number, what: string) => void,
): Record<string, Tensor> {
  if (binding.kind === 'wide') {
    const data = newData(binding.type, rowCount * inputs.length)
    for (const [index, { name }] of inputs.entries()) {
      fill(data, columns[index], { name, offset: index, stride: inputs.length, rowCount, refuse })
    }
    return { [binding.tensor]: new Tensor(binding.type as 'float32', data as Float32Array, [rowCount, inputs.length]) }
  }
  const feeds: Record<string, Tensor> = {}
  for (const [index, { tensor, type, isFlat }] of binding.tensors.entries()) {
    const data = newData(type, rowCount)
    fill(data, columns[index], { name: inputs[index]?.name ?? tensor, offset: 0, stride: 1, rowCount, refuse })
    feeds[tensor] = new Tensor(type as 'float32', data as Float32Array, isFlat ? [rowCount] : [rowCount, 1])
  }
  return feeds
}

type TensorData = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array | string[]

function newData(type: ElementType, length: number): TensorData {
  switch (type) {
    case 'float32':
      return new Float32Array(length)
    case 'float64':
      return new Float64Array(length)
    case 'int64':
      return new BigInt64Array(length)
    case 'int32':
      return new Int32Array(length)
    case 'bool':
      return new Uint8Array(length)
    case 'string':
      return Array.from({ length }, () => '')
  }
}

interface Filling {
  readonly name: string
  readonly offset: number
  readonly stride: number
  readonly rowCount: number
  readonly refuse: (row: number, what: string) => void
}

function fill(data: TensorData, column: InputColumn | undefined, filling: Filling): void {
  const { name, offset, stride, rowCount, refuse } = filling
  for (let row = 0; row < rowCount; row++) {
    const value = column?.[row]
    const at = offset + row * stride
    if (Array.isArray(data)) {
      data[at] = String(value ?? '')
      continue
    }
    const number = Number(value)
    if (data instanceof BigInt64Array || data instanceof Int32Array) {
      const isWhole = Number.isSafeInteger(number) && (data instanceof BigInt64Array || number === (number | 0))
      if (!isWhole) refuse(row, `${name} is ${number}, and the model takes whole numbers`)
      else if (data instanceof BigInt64Array) data[at] = BigInt(number)
      else data[at] = number
      continue
    }
    // A byte would make a no of a missing one, and a yes of any other number.
    if (data instanceof Uint8Array && number !== 0 && number !== 1) {
      refuse(row, `${name} is ${number}, and the model takes flags`)
      continue
    }
    data[at] = number
    if (data instanceof Float32Array && Number.isFinite(number) && !Number.isFinite(data[at])) {
      refuse(row, `${name} is beyond 32 bits`)
    }
  }
}

/** Shapes are what came, not what the file declares: the two may differ. Throws ModelError `model-contract`. */
export function readOutput(tensor: Tensor | undefined, output: ModelOutput, rowCount: number): OutputColumn {
  const { name, kind, column, classes = [] } = output
  if (tensor === undefined) throw contract(`it gave no ${name}`)
  const [rows = 0, width = 1, ...more] = tensor.dims
  if (rows !== rowCount || more.some(size => size !== 1) || column >= width) {
    throw contract(`${name} came as ${tensor.dims.join(' × ')} for ${rowCount} rows, and column ${column} is wanted`)
  }
  if (kind === 'label') {
    const labels = tensor.data as ArrayLike<unknown>
    return Array.from({ length: rowCount }, (_, row) => labelOf(labels[row * width + column]))
  }
  const numberAt = numbersOf(tensor, name)
  if (kind === 'number') return Float64Array.from({ length: rowCount }, (_, row) => numberAt(row * width + column))
  if (width !== classes.length) throw contract(`${name} came with ${width} columns for ${classes.length} classes`)
  return Array.from({ length: rowCount }, (_, row) =>
    Object.fromEntries(classes.map((each, index) => [each, numberAt(row * width + index)])),
  )
}

function labelOf(value: unknown): string | number {
  return typeof value === 'string' ? value : Number(value)
}

function numbersOf({ data, type }: Tensor, name: string): (index: number) => number {
  if (type !== 'float32' && type !== 'float64' && type !== 'int64' && type !== 'int32') {
    throw contract(`${name} is ${type}, not a number`)
  }
  return index => {
    const value = Number(data[index])
    return type === 'float32' && Number.isFinite(value) ? shortestFloat32(value) : value
  }
}

export function contract(what: string): ModelError {
  return new ModelError(`The model is not what its manifest says: ${what}`, {
    code: 'model-contract',
    next: 'Correct the inputs and outputs in manifest.json, or export the model anew.',
  })
}
