// A whole artifact from a file that somebody else exported: the graph made ready, the papers filled in, golden rows with what the model
// gives for them, and everything held against each other before it is written.
import { strToU8, zipSync } from 'fflate'
import { sha256Hex } from '../platform/hash.ts'
import {
  type ArtifactManifest,
  MANIFEST_FORMAT_VERSION,
  manifestSchema,
  readArtifactManifest,
} from './artifact-manifest.ts'
import { ModelError } from './errors.ts'
import { GOLDEN_FORMAT_VERSION, type GoldenRows } from './golden.ts'
import { tableOfRows } from './input-table.ts'
import type { DefinedFeature } from './model-inputs.ts'
import type { ModelRun, ModelSession, OpenSession, OutputValue } from './model-session.ts'
import { contractInputs, contractOutputs, type ModelContract } from './pack-contract.ts'
import { type GoldenCell, synthesiseRows } from './pack-golden.ts'
import { type PackedGraph } from './pack-graph.ts'
import { type Papers, refuseMissing } from './pack-papers.ts'
import { GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE } from './read-artifact.ts'

export interface GivenRows {
  /** A cell for each input by its name. */
  readonly rows: readonly Readonly<Record<string, GoldenCell>>[]
  /** What the maker gives for them, by the name of the output or of its tensor; the model must give the same. */
  readonly outputs: Readonly<Record<string, readonly OutputValue[]>>
  readonly tolerance?: number
}

export interface PackOptions {
  readonly definition: ModelContract & { readonly owner?: string; readonly about?: string | undefined }
  readonly features: ReadonlyMap<string, DefinedFeature>
  readonly papers: Papers
  readonly golden?: GivenRows | undefined
  readonly openSession: OpenSession
}

export interface PackedArtifact {
  readonly zip: Uint8Array
  readonly manifest: ArtifactManifest
  readonly golden: GoldenRows
}

/** The least that a zip can say; entries carry no time of their own. */
const ENTRY_TIME = new Date(1980, 0, 1)
const UNPUBLISHED = 'unpublished'
const ROW_DIFFERENCE_MAX = 1e-5

/** Throws ModelError: `papers-missing`, `manifest-invalid`, `model-inputs-differ`, `golden-…`, `model-mixes-rows`, and what opening throws. */
export async function packArtifact(graph: PackedGraph, options: PackOptions): Promise<PackedArtifact> {
  const draft = draftManifest(graph, options)
  const { golden: given, openSession } = options
  const open = (manifest: ArtifactManifest): Promise<ModelSession> =>
    openSession({ manifest, model: graph.model }, UNPUBLISHED)
  const session = await open(draft)
  const cells = given === undefined ? synthesiseRows(draft.inputs) : givenCells(given, draft)
  const { golden, refused } = await goldenOf(session, cells, options)
  if (golden.inputs.length === 0) throw noneServed(refused)
  const goldenBytes = strToU8(JSON.stringify(golden))
  const manifest = { ...draft, files: { [GOLDEN_FILE]: described(goldenBytes) } }
  await openSession({ manifest, model: graph.model, golden }, UNPUBLISHED)
  const files = {
    [MANIFEST_FILE]: strToU8(`${JSON.stringify(manifest, undefined, 1)}\n`),
    [MODEL_FILE]: graph.model,
    [GOLDEN_FILE]: goldenBytes,
  }
  return { zip: zipSync(files, { level: 9, mtime: ENTRY_TIME }), manifest, golden }
}

function draftManifest(graph: PackedGraph, { definition, features, papers }: PackOptions): ArtifactManifest {
  const { inputs: _inputs, outputs: _outputs, ...known } = papers
  const { owner, about } = definition
  const filled = {
    ...(owner === undefined ? {} : { owner }),
    ...(about === undefined ? {} : { description: about }),
    ...known,
  }
  refuseMissing(filled)
  const text = JSON.stringify({
    formatVersion: MANIFEST_FORMAT_VERSION,
    name: definition.name,
    ...filled,
    inputs: contractInputs(graph, definition, { papers, features }),
    outputs: contractOutputs(graph.outputs, papers),
    changes: graph.changes,
    ...described(graph.model),
  })
  return manifestSchema.parse(readArtifactManifest(strToU8(text)))
}

function described(bytes: Uint8Array): { readonly sha256: string; readonly bytes: number } {
  return { sha256: sha256Hex(bytes), bytes: bytes.byteLength }
}

function givenCells({ rows }: GivenRows, { inputs }: ArtifactManifest): GoldenCell[][] {
  return rows.map((row, index) =>
    inputs.map(({ name, type, missing }) => {
      const value = row[name]
      if (value === undefined) throw goldenInvalid(`row ${index + 1} has no ${name}`)
      if (value === '') return missing
      return type === 'text' ? String(value) : value
    }),
  )
}

interface TriedRows {
  readonly golden: GoldenRows
  /** Why the first row that the model refused was refused. */
  readonly refused: string | undefined
}

/** Rows that were made up and that the model refuses are left out; of rows that were given none may be. */
async function goldenOf(
  session: ModelSession,
  cells: GoldenCell[][],
  { golden: given }: PackOptions,
): Promise<TriedRows> {
  const { inputs, outputs } = session.manifest
  const run = await session.run(tableOf(cells, inputs))
  await refuseMixing(session, cells, run)
  const [first] = run.refusals
  if (given !== undefined && first !== undefined) throw goldenInvalid(`row ${first[0] + 1} is refused: ${first[1]}`)
  const kept = cells.flatMap((_, row) => (run.refusals.has(row) ? [] : [row]))
  const said = outputs.map(({ name, tensor }, index): [string, OutputValue[]] => {
    const expected = given?.outputs[name] ?? given?.outputs[tensor]
    return [name, expected === undefined ? kept.map(row => run.outputs[index]?.[row] ?? Number.NaN) : [...expected]]
  })
  const unknown = Object.keys(given?.outputs ?? {}).find(
    name => !outputs.some(output => output.name === name || output.tensor === name),
  )
  if (unknown !== undefined) {
    throw goldenInvalid(
      `${unknown} is no input and no output; outputs are ${outputs.map(({ name }) => name).join(', ')}`,
    )
  }
  return {
    refused: first?.[1],
    golden: {
      formatVersion: GOLDEN_FORMAT_VERSION,
      synthetic: given === undefined,
      tolerance: given?.tolerance ?? ROW_DIFFERENCE_MAX,
      inputs: kept.map(row => (cells[row] ?? []).map(cell => (Number.isNaN(cell) ? 'nan' : cell))),
      outputs: Object.fromEntries(said),
    },
  }
}

type Inputs = ArtifactManifest['inputs']

function tableOf(cells: readonly (readonly GoldenCell[])[], inputs: Inputs) {
  const rows = cells.map(row =>
    row.map((cell, index) =>
      inputs[index]?.type === 'text' ? String(cell) : cell === 'nan' ? Number.NaN : Number(cell),
    ),
  )
  return tableOfRows(rows, inputs.length)
}

/** A row must be answered alone as it is among others: users come in batches, and with whom is chance. */
async function refuseMixing(session: ModelSession, cells: GoldenCell[][], together: ModelRun): Promise<void> {
  for (const [row, cell] of cells.entries()) {
    const alone = await session.run(tableOf([cell], session.manifest.inputs))
    if (alone.refusals.size > 0 || together.refusals.has(row)) continue
    for (const [index, { name }] of session.manifest.outputs.entries()) {
      if (isClose(alone.outputs[index]?.[0], together.outputs[index]?.[row])) continue
      throw new ModelError(`The model gives another ${name} for row ${row + 1} alone than among others`, {
        code: 'model-mixes-rows',
        next: 'Export it without steps that compute over all rows, such as a mean of the batch.',
      })
    }
  }
}

function isClose(a: OutputValue | undefined, b: OutputValue | undefined): boolean {
  if (typeof a === 'number' && typeof b === 'number')
    return Math.abs(a - b) <= ROW_DIFFERENCE_MAX * Math.max(1, Math.abs(a))
  if (typeof a !== 'object' || typeof b !== 'object') return a === b
  return Object.keys(a).every(name => isClose(a[name], b[name]))
}

function noneServed(refused: string | undefined): ModelError {
  return goldenInvalid(`the model refuses every row that was made up: ${refused ?? 'there were none'}`)
}

function goldenInvalid(what: string): ModelError {
  return new ModelError(`The golden rows are not right: ${what}`, {
    code: 'golden-invalid',
    next: 'Give rows with a value for each input that the model takes: docs/bring-your-model.md.',
  })
}
