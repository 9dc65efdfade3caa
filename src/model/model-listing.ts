// What there is of a model: its stages, its versions and their log, read from the catalogue alone, with no artifact fetched.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry, Yank } from '../catalog/items.ts'
import { MODELS_DB, modelRef } from './model-refs.ts'

type Readable = Pick<Catalog, 'partitions' | 'history' | 'yanks'>

export interface StageEntry extends LogEntry {
  readonly stage: string
  /** The version that this stage has now, by this very entry. */
  readonly isCurrent: boolean
}

/** Of each stage, or of one, the newest first. Throws CatalogError. */
export async function modelLog(
  catalog: Pick<Readable, 'partitions' | 'history'>,
  name: string,
  { stage, limit }: { readonly stage?: string | undefined; readonly limit?: number } = {},
): Promise<readonly StageEntry[]> {
  const stages =
    stage === undefined
      ? (await catalog.partitions({ db: MODELS_DB, table: name })).map(({ partition }) => partition)
      : [stage]
  const logs = await Promise.all(
    stages.map(async each => {
      const entries = await catalog.history(modelRef(name, each), limit === undefined ? {} : { limit })
      return entries.map((entry, index) => ({ ...entry, stage: each, isCurrent: index === 0 }))
    }),
  )
  return logs
    .flat()
    .toSorted((a, b) => b.at - a.at || b.number - a.number)
    .slice(0, limit)
}

export interface ListedVersion {
  readonly batchId: string
  /** What made it current for the first time. */
  readonly first: StageEntry
  /** All that ever had it, and those that have it now. */
  readonly stages: readonly string[]
  readonly currentIn: readonly string[]
  readonly yank: Yank | undefined
}

export interface ListedModel {
  readonly name: string
  /** The newest entry of each stage, by name of the stage. */
  readonly current: readonly StageEntry[]
  /** The one that was published last, first. */
  readonly versions: readonly ListedVersion[]
}

/** Throws CatalogError. */
export async function listModel(catalog: Readable, name: string): Promise<ListedModel> {
  const log = await modelLog(catalog, name)
  const yanks = log.length === 0 ? new Map<string, Yank>() : await catalog.yanks(modelRef(name))
  const current = log.filter(({ isCurrent }) => isCurrent).toSorted((a, b) => (a.stage < b.stage ? -1 : 1))
  const versions = new Map<string, ListedVersion>()
  // Oldest first, so that a version is met at its publication; a map keeps that order.
  for (const entry of log.toReversed()) {
    const { batchId, stage } = entry
    const known = versions.get(batchId)
    const stages = [...new Set([...(known?.stages ?? []), stage])]
    const currentIn = current.filter(each => each.batchId === batchId).map(each => each.stage)
    versions.set(batchId, { batchId, first: known?.first ?? entry, stages, currentIn, yank: yanks.get(batchId) })
  }
  return { name, current, versions: [...versions.values()].toReversed() }
}

/** The stages that ever had the version. */
export async function stagesWith(
  catalog: Pick<Readable, 'partitions' | 'history'>,
  name: string,
  batchId: string,
): Promise<readonly string[]> {
  const log = await modelLog(catalog, name)
  return [...new Set(log.filter(entry => entry.batchId === batchId).map(({ stage }) => stage))]
}
