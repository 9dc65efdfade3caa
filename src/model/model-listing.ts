// What there is of a model: its stages, its versions and their log, read from the catalogue alone, with no artifact fetched.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import { MODELS_DB, modelRef } from './model-refs.ts'

export interface StageEntry extends LogEntry {
  readonly stage: string
  /** The version that this stage has now, by this very entry. */
  readonly isCurrent: boolean
}

/** Of each stage, or of one, the newest first. Throws CatalogError. */
export async function modelLog(
  catalog: Pick<Catalog, 'partitions' | 'history'>,
  name: string,
  { stage, limit }: { readonly stage?: string | undefined; readonly limit: number },
): Promise<readonly StageEntry[]> {
  const stages =
    stage === undefined
      ? (await catalog.partitions({ db: MODELS_DB, table: name })).map(({ partition }) => partition)
      : [stage]
  const logs = await Promise.all(
    stages.map(async each => {
      const entries = await catalog.history(modelRef(name, each), { limit })
      return entries.map((entry, index) => ({ ...entry, stage: each, isCurrent: index === 0 }))
    }),
  )
  return logs
    .flat()
    .toSorted((a, b) => b.at - a.at || b.number - a.number)
    .slice(0, limit)
}
