// A version must not be used again, in any stage. What serves is first rolled back: a stage is never left with a version that nobody
// may use.
import type { LogEntry, Yank } from '../catalog/items.ts'
import { ModelError } from './errors.ts'
import { modelRef } from './model-refs.ts'
import { modelLog } from './model-listing.ts'
import { planVersionRollback, type Reason, type VersionPlan, type VersionPorts } from './promote-version.ts'

export interface YankRequest {
  readonly name: string
  readonly batchId: string
  /** What stages that have it now are rolled back to; without it that is refused. */
  readonly rollbackTo: string | undefined
}

export interface YankPlan {
  /** What each stage that has it now would have instead. */
  readonly rollbacks: readonly (VersionPlan & { readonly stage: string })[]
}

/** Throws everything that yanking would, and writes nothing: ModelError `version-current`, CatalogError `batch-not-found`. */
export async function planVersionYank(ports: VersionPorts, request: YankRequest): Promise<YankPlan> {
  const { catalog } = ports
  const { name, batchId, rollbackTo } = request
  const log = await modelLog(catalog, name)
  const stages = log
    .filter(entry => entry.isCurrent && entry.batchId === batchId)
    .map(({ stage }) => stage)
    .toSorted()
  if (stages.length === 0) {
    await catalog.planYank(modelRef(name), batchId)
    return { rollbacks: [] }
  }
  if (rollbackTo === undefined) throw versionCurrent(request, stages)
  const rollbacks: (VersionPlan & { readonly stage: string })[] = []
  for (const stage of stages) {
    rollbacks.push({ ...(await planVersionRollback(ports, { name, stage, batchId: rollbackTo })), stage })
  }
  return { rollbacks }
}

export interface YankOutcome {
  readonly yank: Yank
  readonly rollbacks: readonly (LogEntry & { readonly stage: string })[]
}

export async function yankVersion(ports: VersionPorts, request: YankRequest, reason: Reason): Promise<YankOutcome> {
  const { catalog } = ports
  const { name, batchId } = request
  const plan = await planVersionYank(ports, request)
  const rollbacks: (LogEntry & { readonly stage: string })[] = []
  for (const { stage, batchId: to } of plan.rollbacks) {
    rollbacks.push({ ...(await catalog.rollback(modelRef(name, stage), { to, ...reason })), stage })
  }
  return { yank: await catalog.yank(modelRef(name), { batchId, ...reason }), rollbacks }
}

function versionCurrent({ name, batchId }: YankRequest, stages: readonly string[]): ModelError {
  return new ModelError(`${name} ${batchId} is current in ${stages.join(' and ')}`, {
    code: 'version-current',
    next: 'Say what to go back to: --rollback-to BATCH; or roll it back first.',
  })
}
