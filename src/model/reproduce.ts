// A version made once more from what its papers keep: the script, the training batch, and the golden rows that say whether what comes out
// is the model that was published. How the script is run is the caller's.
import type { Catalog } from '../catalog/catalog.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { parseTableName } from '../catalog/names.ts'
import { sha256Hex } from '../platform/hash.ts'
import { ModelError } from './errors.ts'
import type { GoldenRows } from './golden.ts'
import { type InputTable, tableOfRows } from './input-table.ts'
import { modelRef } from './model-refs.ts'
import type { ModelRun, OpenSession, OutputValue } from './model-session.ts'
import { type Artifact, MODEL_FILE, readArtifact, type ReadArtifactOptions, readExtra } from './read-artifact.ts'

/** Of the command: where the training table is. */
export const DATA_PLACEHOLDER = '{data}'

export interface Reproduction {
  readonly artifact: Artifact & { readonly golden: GoldenRows }
  readonly command: readonly string[]
  /** By name under extra/; names and bytes are checked. */
  readonly extra: ReadonlyMap<string, Uint8Array>
  /** What it was trained on, where the papers name a batch of the catalogue. */
  readonly data: (PartitionRef & { readonly batchId: string }) | undefined
}

export interface ReproducedVersion {
  readonly name: string
  readonly batchId: string
  readonly stage: string
}

/** `options`: whose scripts are run. Throws ModelError `not-reproducible`, and what reading an artifact throws. */
export async function planReproduction(
  catalog: Pick<Catalog, 'load'>,
  { name, batchId, stage }: ReproducedVersion,
  options: ReadArtifactOptions = {},
): Promise<Reproduction> {
  const zip = await zipOf(catalog, { name, batchId, stage })
  const artifact = readArtifact(zip, options)
  const { manifest, golden } = artifact
  const refuse = (what: string): never => {
    throw new ModelError(`${name} ${batchId} cannot be made again: ${what}`, {
      code: 'not-reproducible',
      next: 'Pack the next version with --reproduce, its script under extra/, and golden rows.',
    })
  }
  const command = manifest.reproduce?.command ?? refuse('its papers do not say how')
  if (golden === undefined) return refuse('it has no golden rows to compare with')
  const { table, partition, batchId: dataId } = manifest.trainingData
  const isNamed = table !== undefined && partition !== undefined && dataId !== undefined
  const data = isNamed ? { ...parseTableName(table), partition, batchId: dataId } : undefined
  if (data === undefined && command.some(word => word.includes(DATA_PLACEHOLDER))) {
    return refuse('its papers do not name the batch that it was trained on')
  }
  return { artifact: { ...artifact, golden }, command, extra: readExtra(zip), data }
}

async function zipOf(catalog: Pick<Catalog, 'load'>, { name, batchId, stage }: ReproducedVersion): Promise<Uint8Array> {
  const batch = await catalog.load(modelRef(name, stage), batchId)
  for await (const part of batch.parts()) return part.body
  throw new ModelError(`The version ${batchId} of ${name} has no artifact`, { code: 'artifact-invalid' })
}

export interface Comparison {
  /** Byte for byte. */
  readonly isSameFile: boolean
  readonly rows: number
  /** Every golden row within the tolerance. */
  readonly holds: boolean
  readonly tolerance: number
  /** The most that a number of the new model is away from that of the old one; null where no number can be compared. */
  readonly largestDifference: number | null
  /** Labels that are others. */
  readonly labelsChanged: number
}

/** `model`: what the script wrote. Throws ModelError where it cannot be opened as the old one is. */
export async function compareReproduced(
  openSession: OpenSession,
  { artifact }: Pick<Reproduction, 'artifact'>,
  model: Uint8Array,
): Promise<Comparison> {
  const { manifest, golden } = artifact
  const papers = { ...manifest, sha256: sha256Hex(model), bytes: model.byteLength }
  // Without the golden rows: that they differ is the answer here, no reason not to open it.
  const made = await openSession({ manifest: papers, model }, 'reproduced')
  const kept = await openSession({ manifest, model: artifact.model }, 'published')
  const table = goldenTable(artifact)
  const { largest, labelsChanged, refused } = differences(await kept.run(table), await made.run(table), table.rowCount)
  return {
    isSameFile: papers.sha256 === manifest.sha256,
    rows: table.rowCount,
    holds: refused === 0 && labelsChanged === 0 && (largest ?? 0) <= golden.tolerance,
    tolerance: golden.tolerance,
    largestDifference: largest,
    labelsChanged,
  }
}

function goldenTable({ manifest, golden }: Reproduction['artifact']): InputTable {
  const rows = golden.inputs.map(row =>
    row.map((value, index) => {
      if (manifest.inputs[index]?.type === 'text') return String(value)
      return value === 'nan' ? Number.NaN : Number(value)
    }),
  )
  return tableOfRows(rows, manifest.inputs.length)
}

interface Differences {
  largest: number | null
  labelsChanged: number
  /** By one of the two and not by the other. */
  refused: number
}

function differences(kept: ModelRun, made: ModelRun, rowCount: number): Differences {
  const found: Differences = { largest: null, labelsChanged: 0, refused: 0 }
  for (let row = 0; row < rowCount; row++) {
    if (kept.refusals.has(row) !== made.refusals.has(row)) found.refused++
    if (kept.refusals.has(row) || made.refusals.has(row)) continue
    for (const [output, column] of kept.outputs.entries()) compare(column[row], made.outputs[output]?.[row], found)
  }
  return found
}

function compare(kept: OutputValue | undefined, made: OutputValue | undefined, found: Differences): void {
  if (typeof kept === 'number' && typeof made === 'number') {
    found.largest = Math.max(found.largest ?? 0, Math.abs(kept - made))
  } else if (typeof kept === 'object' && typeof made === 'object') {
    for (const [name, score] of Object.entries(kept)) compare(score, made[name], found)
  } else if (kept !== made) found.labelsChanged++
}

export function noModelMade(): ModelError {
  return new ModelError(`The command wrote no ${MODEL_FILE} that can be read`, {
    code: 'reproduce-no-model',
    next: 'It is run in the folder of extra/, and writes the model there.',
  })
}
