// What may stand in for the current version of a model: those before it that a function would try at a cold start, by the log of
// the stage and in the same order. Nothing is opened: who asks holds their papers against definitions.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { ArtifactManifest } from './artifact-manifest.ts'
import { modelRef } from './model-refs.ts'
import { isOfVersion, VERSIONS_TRIED_MAX } from './model-source.ts'
import type { ModelRegistry } from './registry.ts'

export interface VersionPapers {
  readonly batchId: string
  readonly manifest: ArtifactManifest
}

/** Of a log, newest first, the entries that a cold start tries: of each version the newest, the current one first. */
export function triedEntries(log: readonly LogEntry[]): readonly LogEntry[] {
  const tried = new Map<string, LogEntry>()
  for (const entry of log.slice(0, VERSIONS_TRIED_MAX)) if (!tried.has(entry.batchId)) tried.set(entry.batchId, entry)
  return [...tried.values()]
}

/** Those before the current version, newest first, without what is yanked or damaged. Throws CatalogError, ObjectStoreError. */
export async function papersBefore(
  registry: Pick<ModelRegistry, 'history' | 'artifact' | 'refuseYanked'>,
  name: string,
): Promise<readonly VersionPapers[]> {
  const [, ...earlier] = triedEntries(await registry.history(name, undefined, VERSIONS_TRIED_MAX))
  const found: VersionPapers[] = []
  for (const { batchId } of earlier) {
    try {
      await registry.refuseYanked(name, batchId)
      found.push({ batchId, manifest: (await registry.artifact(name, batchId)).manifest })
    } catch (error) {
      // A function passes it over, too.
      if (!isOfVersion(error)) throw error
    }
  }
  return found
}

/** Undefined where no function would have used the version at that instant: it was yanked by then, or is damaged. */
export type PapersAt = (name: string, batchId: string, atMs: number) => Promise<ArtifactManifest | undefined>

/** Throws CatalogError, ObjectStoreError where nobody can say. */
export function papersAt(catalog: Pick<Catalog, 'yanked'>, registry: Pick<ModelRegistry, 'artifact'>): PapersAt {
  return async (name, batchId, atMs) => {
    const yank = await catalog.yanked(modelRef(name), batchId)
    if (yank !== undefined && yank.at <= atMs) return undefined
    try {
      return (await registry.artifact(name, batchId)).manifest
    } catch (error) {
      if (isOfVersion(error)) return undefined
      throw error
    }
  }
}
