// A model in ONNX Runtime: opened from memory, held against its manifest and its golden rows, tried once, and from then on one run for all
// rows of a batch. One thread: a function has about one core, and results must not depend on how work was split.
import { InferenceSession } from 'onnxruntime-node'
import type { ModelOutput } from './artifact-manifest.ts'
import { checkModelFile } from './check-model-file.ts'
import { checkOutputs } from './check-outputs.ts'
import { ModelError } from './errors.ts'
import { checkGolden } from './golden.ts'
import { tableOfRows } from './input-table.ts'
import type { ModelRun, ModelSession } from './model-session.ts'
import { bindInputs, contract, feedsOf, readOutput } from './onnx-binding.ts'
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

/** Throws ModelError: `model-refused`, `model-unloadable`, `model-contract`, `golden-differs`, `golden-invalid`. */
export async function openOnnxSession(artifact: Artifact, batchId: string): Promise<ModelSession> {
  const { manifest, model, golden } = artifact
  checkModelFile(model)
  const runtime = await createSession(manifest.name, model)
  const { inputs, outputs } = manifest
  const binding = bindInputs(runtime, inputs)
  checkOutputTensors(runtime, outputs)
  const tensors = [...new Set(outputs.map(output => output.tensor))]

  const evaluate: ModelSession['run'] = async table => {
    const refusals = new Map<number, string>()
    const refuse = (row: number, what: string): void => void (refusals.has(row) || refusals.set(row, what))
    const results = await runtime.run(feedsOf(binding, inputs, table, refuse), tensors)
    const columns = outputs.map(output => readOutput(results[output.tensor], output, table.rowCount))
    return checkOutputs(outputs, columns, refusals)
  }
  await probe(manifest.name, () => {
    const missing = inputs.map(input => (input.missing === 'nan' && input.type !== 'text' ? Number.NaN : input.missing))
    return evaluate(
      tableOfRows(
        Array.from({ length: PROBE_ROWS }, () => missing),
        inputs.length,
      ),
    )
  })
  const session: ModelSession = { name: manifest.name, batchId, manifest, run: runner(artifact, batchId, evaluate) }
  if (golden !== undefined) await checkGolden(session, golden)
  return session
}

async function createSession(name: string, model: Uint8Array): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model, SESSION_OPTIONS)
  } catch (cause) {
    throw new ModelError(`ONNX Runtime cannot load ${name}`, {
      code: 'model-unloadable',
      next: 'Read the cause; mostly an operator set newer than the runtime.',
      cause,
    })
  }
}

function runner({ manifest }: Artifact, batchId: string, evaluate: ModelSession['run']): ModelSession['run'] {
  return async table => {
    const { rowCount, columns } = table
    if (columns.length !== manifest.inputs.length || columns.some(column => column.length !== rowCount)) {
      throw new ModelError(`The columns are not ${manifest.inputs.length} of ${rowCount} rows`, {
        code: 'model-run-failed',
      })
    }
    if (rowCount === 0) return noRows(manifest.outputs)
    try {
      return await evaluate(table)
    } catch (cause) {
      throw new ModelError(`${manifest.name} ${batchId} failed`, {
        code: 'model-run-failed',
        next: 'Read the cause; the version before can be made current by a rollback.',
        cause,
      })
    }
  }
}

function noRows(outputs: readonly ModelOutput[]): ModelRun {
  return { outputs: outputs.map(({ kind }) => (kind === 'number' ? new Float64Array(0) : [])), refusals: new Map() }
}

function checkOutputTensors({ outputMetadata }: InferenceSession, outputs: readonly ModelOutput[]): void {
  for (const { tensor } of outputs) {
    const found = outputMetadata.find(output => output.name === tensor)
    if (found === undefined) throw contract(`it has no output ${tensor}`)
    if (!found.isTensor)
      throw contract(`its output ${tensor} is not a tensor; \`millrace model pack\` takes a ZipMap out`)
  }
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
