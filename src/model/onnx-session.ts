// A model in ONNX Runtime: opened from memory, held against its manifest, tried once, and from then on one run for all rows
// of a batch. One thread: a function has about one core, and results must not depend on how work was split.
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { ModelOutput } from './artifact-manifest.ts'
import { checkModelFile } from './check-model-file.ts'
import { checkOutputs, shortestFloat32 } from './check-outputs.ts'
import { ModelError } from './errors.ts'
import type { ModelSession } from './model-session.ts'
import type { Artifact } from './read-artifact.ts'

const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  executionMode: 'sequential',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  // Errors only: a warning of the runtime about a graph is nothing a function's log needs at each cold start.
  logSeverityLevel: 3,
}

/** Two, so that a model made for one row at a time, or one that mixes rows, shows itself. */
const PROBE_ROWS = 2

/** `wide`: one input [rows, features]; `named`: an input [rows, 1] for each feature. */
type Binding =
  | { readonly kind: 'wide'; readonly input: string }
  | { readonly kind: 'named'; readonly inputs: readonly string[] }

/** Throws ModelError: `model-refused`, `model-unloadable`, `model-contract`. */
export async function openOnnxSession({ manifest, model }: Artifact, batchId: string): Promise<ModelSession> {
  checkModelFile(model)
  const session = await InferenceSession.create(model, SESSION_OPTIONS).catch((error: unknown) => {
    throw new ModelError(`ONNX Runtime cannot load ${manifest.name}`, {
      code: 'model-unloadable',
      next: 'Read the cause; mostly an operator set newer than the runtime.',
      cause: error,
    })
  })
  const names = manifest.inputs.map(input => input.name)
  const binding = bindInputs(session, names)
  checkOutputTensors(session, manifest.outputs)
  const tensors = [...new Set(manifest.outputs.map(output => output.tensor))]

  const evaluate = async (rows: Float32Array, rowCount: number): Promise<Float64Array[]> => {
    const results = await session.run(feeds(binding, rows, rowCount, names.length), tensors)
    return manifest.outputs.map(output => readOutput(results[output.tensor], output, rowCount))
  }
  await probe(manifest.name, () => {
    const missing = manifest.inputs.map(input => (input.missing === 'nan' ? Number.NaN : input.missing))
    return evaluate(Float32Array.from([...missing, ...missing]), PROBE_ROWS)
  })
  return {
    name: manifest.name,
    batchId,
    manifest,
    async run(rows, rowCount) {
      if (rows.length !== rowCount * names.length) {
        throw new ModelError(`${rows.length} values are not ${rowCount} rows of ${names.length}`, {
          code: 'model-run-failed',
        })
      }
      if (rowCount === 0) return { outputs: manifest.outputs.map(() => new Float64Array(0)), refusals: new Map() }
      try {
        return checkOutputs(manifest.outputs, await evaluate(rows, rowCount))
      } catch (error) {
        throw new ModelError(`${manifest.name} ${batchId} failed`, {
          code: 'model-run-failed',
          next: 'Read the cause; the version before can be made current by a rollback.',
          cause: error,
        })
      }
    },
  }
}

function bindInputs({ inputMetadata }: InferenceSession, names: readonly string[]): Binding {
  for (const input of inputMetadata) {
    if (!input.isTensor || input.type !== 'float32')
      throw contract(`its input ${input.name} does not take 32-bit floats`)
    if (isFixed(input.shape[0])) throw contract(`its input ${input.name} takes ${input.shape[0]} rows only`)
  }
  const [first] = inputMetadata
  if (inputMetadata.length === 1 && first?.isTensor) {
    const width = first.shape[1]
    if (first.shape.length === 2 && (width === names.length || !isFixed(width)))
      return { kind: 'wide', input: first.name }
    throw contract(`its input has the shape ${first.shape.join(' × ')}, and the manifest lists ${names.length} inputs`)
  }
  const found = new Map(inputMetadata.map(input => [input.name, input]))
  for (const name of names) {
    const input = found.get(name)
    if (input === undefined) throw contract(`it has no input ${name}`)
    const isColumn = input.isTensor && input.shape.length === 2 && (input.shape[1] === 1 || !isFixed(input.shape[1]))
    if (!isColumn) throw contract(`its input ${name} is no column`)
    found.delete(name)
  }
  const [unlisted] = found.keys()
  if (unlisted !== undefined) throw contract(`the manifest does not list its input ${unlisted}`)
  return { kind: 'named', inputs: names }
}

/** A dimension left open is a name, or -1. */
function isFixed(dimension: number | string | undefined): boolean {
  return typeof dimension === 'number' && dimension >= 0
}

function checkOutputTensors({ outputMetadata }: InferenceSession, outputs: readonly ModelOutput[]): void {
  for (const { tensor } of outputs) {
    const found = outputMetadata.find(output => output.name === tensor)
    if (found === undefined) throw contract(`it has no output ${tensor}`)
    if (!found.isTensor) throw contract(`its output ${tensor} is not a tensor (a ZipMap: convert with zipmap=False)`)
  }
}

function feeds(binding: Binding, rows: Float32Array, rowCount: number, width: number): Record<string, Tensor> {
  if (binding.kind === 'wide') return { [binding.input]: new Tensor('float32', rows, [rowCount, width]) }
  const columns: Record<string, Tensor> = {}
  for (const [index, name] of binding.inputs.entries()) {
    const column = new Float32Array(rowCount)
    for (let row = 0; row < rowCount; row++) column[row] = rows[row * width + index] ?? Number.NaN
    columns[name] = new Tensor('float32', column, [rowCount, 1])
  }
  return columns
}

/** Shapes are what came, not what the file declares: the two may differ. */
function readOutput(tensor: Tensor | undefined, { name, column }: ModelOutput, rowCount: number): Float64Array {
  if (tensor === undefined) throw contract(`it gave no ${name}`)
  const [rows = 0, width = 1, ...more] = tensor.dims
  if (rows !== rowCount || more.length > 0 || column >= width) {
    throw contract(`${name} came as ${tensor.dims.join(' × ')} for ${rowCount} rows, and column ${column} is wanted`)
  }
  const { data, type } = tensor
  if (type !== 'float32' && type !== 'float64' && type !== 'int64' && type !== 'int32') {
    throw contract(`${name} is ${type}, not a number`)
  }
  const values = new Float64Array(rowCount)
  for (let row = 0; row < rowCount; row++) {
    const value = Number(data[row * width + column])
    values[row] = type === 'float32' && Number.isFinite(value) ? shortestFloat32(value) : value
  }
  return values
}

async function probe(name: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (error instanceof ModelError) throw error
    throw new ModelError(`${name} fails where all its inputs are missing`, {
      code: 'model-contract',
      next: 'Give each input of the manifest a `missing` value that the model takes.',
      cause: error,
    })
  }
}

function contract(what: string): ModelError {
  return new ModelError(`The model is not what its manifest says: ${what}`, {
    code: 'model-contract',
    next: 'Correct the inputs and outputs in manifest.json, or export the model anew.',
  })
}
