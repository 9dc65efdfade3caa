// Models are tables: `models.<name>`, a partition for each stage, a batch for each version, its one part the artifact. So
// publishing, history and rollback of a model are those of any table, and a half-published model cannot be seen.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import { batchYanked } from '../catalog/yank.ts'
import { ModelError } from './errors.ts'
import { modelRef } from './model-refs.ts'
import { type Artifact, type ReadArtifactOptions, readArtifact } from './read-artifact.ts'
import { planPublish, publishArtifact, type PublishInput, type PublishPlan } from './registry-publish.ts'

export interface ModelRegistry {
  /** Newest log entry of the stage, or undefined where nothing was published. One small read. */
  current(name: string, stage?: string): Promise<LogEntry | undefined>
  /** Newest first: what served before, should the current one be unusable. */
  history(name: string, stage?: string, limit?: number): Promise<readonly LogEntry[]>
  /** The verified artifact of one version. */
  artifact(name: string, batchId: string, stage?: string): Promise<Artifact>
  /** The current version and its verified artifact. */
  currentArtifact(name: string, stage?: string): Promise<CurrentArtifact | undefined>
  /** What publishing would do. Throws everything that publishing would, and writes nothing. */
  planPublish(input: PublishInput): Promise<PublishPlan>
  /** Throws CatalogError `batch-yanked` where the version must not be used any more. One small read. */
  refuseYanked(name: string, batchId: string): Promise<void>
  /** Makes it the current version of the stage. It was opened and tried before a byte is written; what is current stays so. */
  publish(input: PublishInput & { readonly who: string; readonly why: string }): Promise<LogEntry>
}

export interface CurrentArtifact {
  readonly batchId: string
  readonly artifact: Artifact
}

/** `options`: of whom artifacts are taken. Methods throw CatalogError, ObjectStoreError and ModelError. */
export function modelRegistry(catalog: Catalog, options: ReadArtifactOptions = {}): ModelRegistry {
  const loadArtifact = (name: string, batchId: string, stage?: string): Promise<Artifact> =>
    artifactOf(catalog, { name, batchId, stage, options })
  return {
    current: (name, stage) => catalog.current(modelRef(name, stage)),
    history: (name, stage, limit) => catalog.history(modelRef(name, stage), limit === undefined ? {} : { limit }),
    artifact: (name, batchId, stage) => loadArtifact(name, batchId, stage),
    async currentArtifact(name, stage) {
      const entry = await catalog.current(modelRef(name, stage))
      if (entry === undefined) return undefined
      return { batchId: entry.batchId, artifact: await loadArtifact(name, entry.batchId, stage) }
    },
    planPublish: input => planPublish({ catalog, options }, input),
    publish: input => publishArtifact({ catalog, options }, input),
    async refuseYanked(name, batchId) {
      const yank = await catalog.yanked(modelRef(name), batchId)
      if (yank !== undefined) throw batchYanked(modelRef(name), yank)
    },
  }
}

interface Wanted {
  readonly name: string
  readonly batchId: string
  readonly stage: string | undefined
  readonly options: ReadArtifactOptions
}

async function artifactOf(catalog: Catalog, { name, batchId, stage, options }: Wanted): Promise<Artifact> {
  const batch = await catalog.load(modelRef(name, stage), batchId)
  for await (const part of batch.parts()) {
    const artifact = readArtifact(part.body, options)
    refuseOther(artifact, { name, batchId })
    return artifact
  }
  throw new ModelError(`The version ${batchId} of ${name} has no artifact`, { code: 'artifact-invalid' })
}

function refuseOther({ manifest }: Artifact, { name, batchId }: Pick<Wanted, 'name' | 'batchId'>): void {
  const { name: own, version = batchId } = manifest
  if (own === name && version === batchId) return
  const found = own === name ? `the version ${version}` : `one of ${own}`
  throw new ModelError(`The artifact ${batchId} in models.${name} is ${found}`, { code: 'model-contract' })
}
