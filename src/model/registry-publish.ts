// An artifact becomes a version of its model, and the current one of a stage. Its batch ID is the version that its papers name, where
// they name one: the same artifact published twice is one version, and other bytes under its name are refused.
import type { Catalog } from '../catalog/catalog.ts'
import type { BatchInput, LogEntry } from '../catalog/items.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { batchYanked } from '../catalog/yank.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { ArtifactManifest } from './artifact-manifest.ts'
import { ModelError } from './errors.ts'
import { stagesWith } from './model-listing.ts'
import type { OpenSession } from './model-session.ts'
import { modelRef } from './model-refs.ts'
import { type ReadArtifactOptions, readArtifact } from './read-artifact.ts'
import { refuseWithoutGolden } from './require-golden.ts'

export interface PublishInput {
  readonly zip: Uint8Array
  readonly stage?: string
  readonly openSession: OpenSession
}

export interface PublishPlan {
  readonly ref: PartitionRef
  readonly manifest: ArtifactManifest
  /** Of the stage. */
  readonly current: LogEntry | undefined
  readonly way: PublishWay
}

export type PublishWay =
  /** Without a batch ID one is made. */
  | { readonly kind: 'store'; readonly batchId: string | undefined }
  /** It is there in another stage: no byte is stored again. */
  | { readonly kind: 'promote'; readonly batchId: string; readonly from: PartitionRef }
  /** It is what the stage has already. */
  | { readonly kind: 'current'; readonly batchId: string; readonly entry: LogEntry }

/** Of whom artifacts are taken, and what opens them. */
export interface PublishPorts {
  readonly catalog: Catalog
  readonly options: ReadArtifactOptions
}

/** Throws everything that publishing would, and writes nothing. */
export async function planPublish(
  { catalog, options }: PublishPorts,
  { zip, stage, openSession }: PublishInput,
): Promise<PublishPlan> {
  const artifact = readArtifact(zip, options)
  const { manifest } = artifact
  refuseWithoutGolden(manifest)
  await openSession(artifact, manifest.version ?? 'unpublished')
  const ref = modelRef(manifest.name, stage)
  const current = await catalog.current(ref)
  return { ref, manifest, current, way: await wayOf(catalog, { ref, manifest, zip, current }) }
}

interface Published extends Omit<PublishPlan, 'way'> {
  readonly zip: Uint8Array
}

async function wayOf(catalog: Catalog, { ref, manifest, zip, current }: Published): Promise<PublishWay> {
  const batchId = manifest.version
  if (batchId === undefined) return { kind: 'store', batchId }
  const yank = await catalog.yanked(ref, batchId)
  if (yank !== undefined) throw batchYanked(ref, yank)
  const stages = await stagesWith(catalog, manifest.name, batchId)
  const [first] = stages
  if (first !== undefined) {
    const { manifest: stored } = await catalog.load(modelRef(manifest.name, first), batchId)
    if (stored.parts[0]?.sha256 !== sha256Hex(zip)) throw versionTaken(manifest.name, batchId)
  }
  if (current?.batchId === batchId) return { kind: 'current', batchId, entry: current }
  const elsewhere = stages.find(stage => stage !== ref.partition)
  if (elsewhere === undefined) return { kind: 'store', batchId }
  return { kind: 'promote', batchId, from: modelRef(manifest.name, elsewhere) }
}

export async function publishArtifact(
  ports: PublishPorts,
  input: PublishInput & { readonly who: string; readonly why: string },
): Promise<LogEntry> {
  const { catalog } = ports
  const { ref, manifest, way } = await planPublish(ports, input)
  const { who, why, zip } = input
  if (way.kind === 'current') return way.entry
  if (way.kind === 'promote') return catalog.promote(way.from, ref, { batchId: way.batchId, who, why })
  await catalog.createTable(ref, { columns: [], format: 'zip', owner: manifest.owner, about: manifest.description })
  const parts = [{ name: 'part-model', body: zip, rows: 1 }]
  const inputs = trainedOn(manifest)
  return catalog.store(ref, { parts, inputs, who, why, ...(way.batchId === undefined ? {} : { batchId: way.batchId }) })
}

/** Where the papers name a batch of the catalogue: retention leaves it alone while there is this version. */
function trainedOn({
  trainingData: { table, partition, batchId },
}: Pick<ArtifactManifest, 'trainingData'>): BatchInput[] {
  return table === undefined || partition === undefined || batchId === undefined ? [] : [{ table, partition, batchId }]
}

function versionTaken(name: string, batchId: string): ModelError {
  return new ModelError(`The version ${batchId} of ${name} is published already, with other bytes`, {
    code: 'version-taken',
    next: 'Pack the artifact anew: each gets a version of its own.',
  })
}
