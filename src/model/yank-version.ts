// A version must not be used again, in any stage. What serves is first rolled back: a stage is never left with a version that nobody
// may use. All stages are looked at before one is changed; what dies halfway is finished by the same command, since it only does what
// is left.
import type { LogEntry, Yank } from '../catalog/items.ts'
import { MillraceError } from '../platform/errors.ts'
import { ModelError } from './errors.ts'
import { modelLog, type StageEntry } from './model-listing.ts'
import { modelRef, STAGE_DEFAULT, STAGING } from './model-refs.ts'
import { planVersionRollback, type Reason, type VersionPlan, type VersionPorts } from './promote-version.ts'

export interface YankRequest {
  readonly name: string
  readonly batchId: string
  /** What stages that have it now are rolled back to; without it that is refused. */
  readonly rollbackTo: string | undefined
  /** What a command line needs beside model, version and stages to do the same elsewhere: `--stage prod`. */
  readonly words?: readonly string[]
}

type StagePlan = VersionPlan & { readonly stage: string }
type StageRollback = LogEntry & { readonly stage: string }

export interface YankPlan {
  /** What each stage that has it now would have instead, by name of the stage. */
  readonly rollbacks: readonly StagePlan[]
}

/**
 * Throws everything that yanking would, and writes nothing: ModelError `version-current`, `version-not-in-stage`, and what a rollback
 * throws; CatalogError `batch-not-found`.
 */
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
  if (rollbackTo === undefined) throw versionCurrent(request, { stages, log })
  const held = stagesOf(log, rollbackTo)
  // Where no stage has it, looking for it in the first one says so.
  if (held.length > 0 && stages.some(stage => !held.includes(stage))) {
    throw notInStage(request, { rollbackTo, stages, held })
  }
  const rollbacks: StagePlan[] = []
  for (const stage of stages) {
    rollbacks.push({ ...(await planVersionRollback(ports, { name, stage, batchId: rollbackTo })), stage })
  }
  return { rollbacks }
}

export interface YankOutcome {
  readonly yank: Yank
  readonly rollbacks: readonly StageRollback[]
}

export async function yankVersion(ports: VersionPorts, request: YankRequest, reason: Reason): Promise<YankOutcome> {
  return carryOutYank(ports, await planVersionYank(ports, request), request, reason)
}

/** Throws CatalogError; ModelError `yank-unfinished` where a stage was rolled back by then. */
export async function carryOutYank(
  { catalog }: Pick<VersionPorts, 'catalog'>,
  plan: YankPlan,
  { name, batchId }: Pick<YankRequest, 'name' | 'batchId'>,
  reason: Reason,
): Promise<YankOutcome> {
  const rollbacks: StageRollback[] = []
  try {
    for (const { stage, batchId: to } of plan.rollbacks) {
      const ref = modelRef(name, stage)
      // Somebody may have given it another one meanwhile, which is not ours to take back.
      if ((await catalog.current(ref))?.batchId !== batchId) continue
      rollbacks.push({ ...(await catalog.rollback(ref, { to, ...reason })), stage })
    }
    return { yank: await catalog.yank(modelRef(name), { batchId, ...reason }), rollbacks }
  } catch (cause) {
    if (rollbacks.length === 0) throw cause
    throw unfinished({ name, batchId }, { plan, rollbacks }, cause)
  }
}

/** The stages that ever had the version. */
function stagesOf(log: readonly StageEntry[], batchId: string): readonly string[] {
  return [...new Set(log.filter(entry => entry.batchId === batchId).map(({ stage }) => stage))].toSorted()
}

interface Current {
  readonly stages: readonly string[]
  readonly log: readonly StageEntry[]
}

function versionCurrent({ name, batchId }: YankRequest, { stages, log }: Current): ModelError {
  // Newest first, so that the first one that all of them had is the one that was there last.
  const others = [...new Set(log.map(entry => entry.batchId))].filter(other => other !== batchId)
  const known = others.find(other => stages.every(stage => stagesOf(log, other).includes(stage)))
  const hint = known === undefined ? '' : `; ${stages.length === 1 ? `${stages[0]} had` : 'all of them had'} ${known}`
  return new ModelError(`${name} ${batchId} is current in ${stages.join(' and ')}`, {
    code: 'version-current',
    next: `Say what to go back to: --rollback-to BATCH${hint}; or roll it back first.`,
  })
}

interface Held {
  readonly rollbackTo: string
  readonly stages: readonly string[]
  /** That ever had `rollbackTo`; one at least. */
  readonly held: readonly string[]
}

function notInStage(request: YankRequest, { rollbackTo, stages, held }: Held): ModelError {
  const { name, batchId } = request
  const lines = stages.map(stage =>
    held.includes(stage) ? `${stage} would go back to ${rollbackTo}` : `${stage} has never had ${rollbackTo}`,
  )
  const commands = stages
    .filter(stage => !held.includes(stage))
    .map(stage => promoteCommand(request, { rollbackTo, to: stage, held }))
  return new ModelError(`${name} ${batchId} is not yanked, and nothing was changed: ${lines.join('; ')}`, {
    code: 'version-not-in-stage',
    next: `Promote ${rollbackTo} there first, and yank then: ${commands.join(' and ')}`,
  })
}

function promoteCommand(
  { name, words = [] }: YankRequest,
  { rollbackTo, to, held }: { readonly rollbackTo: string; readonly to: string; readonly held: readonly string[] },
): string {
  const from = held.find(stage => stage === STAGING) ?? held.find(stage => stage === STAGE_DEFAULT) ?? held[0] ?? ''
  const skip = to === STAGE_DEFAULT && !held.includes(STAGING) ? ['--skip-staging'] : []
  return `\`${['millrace model promote', name, rollbackTo, '--from', from, '--to', to, ...skip, ...words].join(' ')}\``
}

function unfinished(
  { name, batchId }: Pick<YankRequest, 'name' | 'batchId'>,
  { plan, rollbacks }: { readonly plan: YankPlan; readonly rollbacks: readonly StageRollback[] },
  cause: unknown,
): ModelError {
  const done = new Map(rollbacks.map(({ stage, batchId: to }) => [stage, to]))
  const lines = plan.rollbacks.map(({ stage }) => {
    const to = done.get(stage)
    return to === undefined ? `${stage} was not changed` : `${stage} went back to ${to}`
  })
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ModelError(`${name} ${batchId} is not yanked yet: ${lines.join('; ')}; then: ${why}`, {
    code: 'yank-unfinished',
    retriable: cause instanceof MillraceError && cause.retriable,
    next: 'Give the same command again: it does what is left, and nothing twice.',
    cause,
  })
}
