// What changed when: versions that became current, and deploys with what they changed of contracts, features and models. It is what a
// fall of a metric is held against.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import { diffDefinitions, type DefinitionsDiff } from '../predictions/definitions-diff.ts'
import { definitionsRef, type FoundDefinitions, loadDefinitions } from '../predictions/definitions-table.ts'

export interface Mark {
  /** ms UTC. */
  readonly at: number
  /** `contract`: a deploy that changed what events are taken, or how they are read. */
  readonly kind: LogEntry['kind'] | 'deploy' | 'contract'
  /** Of the model's version; of a deploy that of its definitions. */
  readonly batchId: string
  readonly who: string
  readonly text: string
}

export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

export function modelMarks(log: readonly LogEntry[], { fromMs, toMs }: TimeRange): readonly Mark[] {
  return log
    .filter(({ at }) => at >= fromMs && at < toMs)
    .map(({ at, kind, batchId, who, why }) => ({ at, kind, batchId, who, text: why }))
}

export interface DeploysOf {
  readonly pipeline: string
  readonly stage: string
  readonly model: string
}

/** Throws CatalogError, ObjectStoreError, MillraceError `definitions-unreadable`. */
export async function deployMarks(
  catalog: Catalog,
  { pipeline, stage, model }: DeploysOf,
  { fromMs, toMs }: TimeRange,
): Promise<readonly Mark[]> {
  const ref = definitionsRef(pipeline, stage)
  const log = (await catalog.history(ref)).toReversed()
  const first = log.findIndex(({ at }) => at >= fromMs)
  const marks: Mark[] = []
  let before: FoundDefinitions | undefined
  for (const [index, entry] of log.entries()) {
    // The one before the range is what its first deploy is held against.
    if (first < 0 || index < first - 1 || entry.at >= toMs) continue
    const after = await loadDefinitions(catalog, ref, entry.batchId)
    if (index >= first) marks.push(deployMark(entry, before, { after, model }))
    before = after
  }
  return marks
}

function deployMark(
  { at, batchId, who, why }: LogEntry,
  before: FoundDefinitions | undefined,
  { after, model }: { readonly after: FoundDefinitions; readonly model: string },
): Mark {
  if (before === undefined) return { at, kind: 'deploy', batchId, who, text: `${why} (the first that is recorded)` }
  const diff = diffDefinitions(before.definitions, after.definitions)
  const words = [...contractWords(diff), ...modelWords(diff, model), ...featureWords(diff)]
  if (before.release !== after.release) words.push(`Millrace ${before.release ?? '?'} → ${after.release ?? '?'}`)
  const kind = contractWords(diff).length > 0 ? 'contract' : 'deploy'
  return { at, kind, batchId, who, text: words.length === 0 ? why : `${why}: ${words.join('; ')}` }
}

function contractWords({ contracts: { added, changed, dropped } }: DefinitionsDiff): string[] {
  return [
    ...changed.map(({ name, words }) => `${name} ${words.join(', ')}`),
    ...added.map(name => `${name} added`),
    ...dropped.map(name => `${name} dropped`),
  ]
}

function modelWords({ models }: DefinitionsDiff, model: string): string[] {
  return models.changed.flatMap(({ name, words }) => (name === model ? words : []))
}

function featureWords({ features: { added, changed, renamed, dropped } }: DefinitionsDiff): string[] {
  const counted = (count: number, what: string): string[] =>
    count === 0 ? [] : [`${count} feature${count === 1 ? '' : 's'} ${what}`]
  return [
    ...counted(changed.length, 'changed'),
    ...counted(added.length, 'added'),
    ...counted(renamed.length, 'renamed'),
    ...counted(dropped.length, 'dropped'),
  ]
}
