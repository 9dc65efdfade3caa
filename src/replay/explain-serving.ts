// Which version of a model functions served by at an instant: by the log of its stage, and where the version in production does not
// fit the definitions or was not to be used, what stood in for it. Held against the definitions of today, which are those that an
// explanation evaluates by.
import type { LogEntry } from '../catalog/items.ts'
import type { ModelDefinition } from '../model/define.ts'
import { planModelInputs } from '../model/model-inputs.ts'
import { type PapersAt, triedEntries } from '../model/stand-ins.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { definedFeatures } from '../predictions/defined-features.ts'

export interface Serving {
  /** What made the version in production current; undefined where none was. */
  readonly entry: LogEntry | undefined
  /** Undefined where the version in production serves, and where nothing can stand in for it. */
  readonly standIn: StandIn | undefined
}

export interface StandIn {
  /** What had made it current before. */
  readonly entry: LogEntry
  /** Why the version in production does not serve, for people. */
  readonly why: string
}

export interface ServingOptions {
  readonly compiled: Pick<CompiledPipeline, 'pipeline' | 'features'>
  readonly model: ModelDefinition
  /** Without it what is in production is taken to serve. */
  readonly papersAt: PapersAt | undefined
  readonly atMs: number
}

/** `log`: of the stage, newest first. Throws what `papersAt` throws. */
export async function servingAt(
  log: readonly LogEntry[],
  { compiled, model, papersAt, atMs }: ServingOptions,
): Promise<Serving> {
  const [entry, ...earlier] = triedEntries(log.filter(({ at }) => at <= atMs))
  const production: Serving = { entry, standIn: undefined }
  if (entry === undefined || papersAt === undefined) return production
  const defined = definedFeatures(compiled)
  const misfit = async (batchId: string): Promise<string | undefined> => {
    const papers = await papersAt(model.name, batchId, atMs)
    if (papers === undefined) return 'it is yanked or damaged'
    const plan = planModelInputs(papers, model.inputs, defined)
    return plan.kind === 'ready' ? undefined : plan.detail
  }
  const why = await misfit(entry.batchId)
  if (why === undefined) return production
  for (const other of earlier) {
    if ((await misfit(other.batchId)) === undefined) return { entry, standIn: { entry: other, why } }
  }
  return production
}

/** What made the version current that serves. */
export function servedBy({ entry, standIn }: Serving): LogEntry | undefined {
  return standIn?.entry ?? entry
}
