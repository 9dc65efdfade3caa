// A version goes on to another stage, or a stage back to a version before: after all that can be known was held against it again. What
// was right when it was published need not be now: definitions change, and so do the runtime and the bytes.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { ArtifactManifest } from './artifact-manifest.ts'
import { ModelError } from './errors.ts'
import { checkGate, type Gate, gateLine, type GateResult, type GateStage } from './gates.ts'
import { modelNotFound } from './model-not-found.ts'
import { modelRef, STAGE_DEFAULT, STAGING } from './model-refs.ts'
import type { OpenSession } from './model-session.ts'
import type { ModelRegistry } from './registry.ts'
import { refuseWithoutGolden } from './require-golden.ts'
import { versionBefore } from './version-before.ts'

export interface VersionPorts {
  readonly catalog: Catalog
  readonly registry: Pick<ModelRegistry, 'artifact' | 'current' | 'history' | 'refuseYanked'>
  readonly openSession: OpenSession
  /** Holds the papers against the definitions; throws ModelError where they do not fit. */
  readonly checkInputs: (manifest: ArtifactManifest) => void
}

export interface PromoteRequest {
  readonly name: string
  readonly from: string
  readonly to: string
  /** What is current in `from` unless given. */
  readonly batchId?: string | undefined
  /** To production, though it was never in staging. */
  readonly skipsStaging: boolean
  readonly gates: readonly Gate[]
}

export interface VersionPlan {
  readonly name: string
  readonly batchId: string
  readonly manifest: ArtifactManifest
  /** Of the stage that would change. */
  readonly current: LogEntry | undefined
}

export interface VersionPromotion extends VersionPlan {
  readonly gates: readonly GateResult[]
}

/**
 * Throws everything that promoting would, and writes nothing: CatalogError (`already-current`, `batch-yanked` …), ModelError
 * (`not-staged`, `gate-failed`, `gate-metric`, `artifact-no-golden`, and what reading and opening an artifact throw).
 */
export async function planPromotion(ports: VersionPorts, request: PromoteRequest): Promise<VersionPromotion> {
  const { catalog, registry } = ports
  const { name, from, to, skipsStaging } = request
  const batchId = request.batchId ?? (await registry.current(name, from))?.batchId
  if (batchId === undefined) throw modelNotFound(name, from)
  if (!skipsStaging && to === STAGE_DEFAULT) await refuseUnstaged(registry, name, batchId)
  const { current } = await catalog.planPromote(modelRef(name, from), modelRef(name, to), batchId)
  const manifest = await checkVersion(ports, { name, batchId, stage: from })
  // Not where a stage is rolled back: what has served may serve again.
  refuseWithoutGolden(manifest)
  const gates = await checkGates(registry, { name, manifest, gates: request.gates })
  return { name, batchId, manifest, current, gates }
}

export interface Reason {
  readonly who: string
  readonly why: string
}

export async function promoteVersion(ports: VersionPorts, request: PromoteRequest, reason: Reason): Promise<LogEntry> {
  const { name, batchId } = await planPromotion(ports, request)
  return ports.catalog.promote(modelRef(name, request.from), modelRef(name, request.to), { batchId, ...reason })
}

export interface RollbackRequest {
  readonly name: string
  readonly stage: string
  /** The version before the current one unless given. */
  readonly batchId?: string | undefined
}

/** Throws everything that rolling back would, and writes nothing. */
export async function planVersionRollback(ports: VersionPorts, request: RollbackRequest): Promise<VersionPlan> {
  const { catalog } = ports
  const { name, stage } = request
  const ref = modelRef(name, stage)
  if ((await catalog.current(ref)) === undefined) throw modelNotFound(name, stage)
  const batchId = request.batchId ?? (await earlierVersion(ports, request))
  const { from } = await catalog.planRollback(ref, batchId)
  return { name, batchId, current: from, manifest: await checkVersion(ports, { name, batchId, stage }) }
}

export async function rollbackVersion(
  ports: VersionPorts,
  request: RollbackRequest,
  reason: Reason,
): Promise<LogEntry> {
  const { name, batchId } = await planVersionRollback(ports, request)
  return ports.catalog.rollback(modelRef(name, request.stage), { to: batchId, ...reason })
}

async function earlierVersion({ catalog }: VersionPorts, { name, stage }: RollbackRequest): Promise<string> {
  const yanks = await catalog.yanks(modelRef(name))
  const before = versionBefore(await catalog.history(modelRef(name, stage)), batchId => yanks.has(batchId))
  if (before !== undefined) return before
  throw new ModelError(`There is no version of ${name} before the one in ${stage}`, {
    code: 'no-version-before',
    next: 'Name a version; `millrace model history` lists them.',
  })
}

interface StagedVersion {
  readonly name: string
  readonly batchId: string
  readonly stage: string
}

/** The bytes, the papers, a trial run, and the definitions. */
async function checkVersion(
  { registry, openSession, checkInputs }: VersionPorts,
  { name, batchId, stage }: StagedVersion,
): Promise<ArtifactManifest> {
  const artifact = await registry.artifact(name, batchId, stage)
  await openSession(artifact, batchId)
  checkInputs(artifact.manifest)
  return artifact.manifest
}

async function refuseUnstaged(registry: VersionPorts['registry'], name: string, batchId: string): Promise<void> {
  const staged = await registry.history(name, STAGING)
  if (staged.some(entry => entry.batchId === batchId)) return
  throw new ModelError(`${name} ${batchId} was never in ${STAGING}, which comes before ${STAGE_DEFAULT}`, {
    code: 'not-staged',
    next: `Promote it --to ${STAGING} first and look at it there, or add --skip-staging.`,
  })
}

async function checkGates(
  registry: VersionPorts['registry'],
  {
    name,
    manifest,
    gates,
  }: { readonly name: string; readonly manifest: ArtifactManifest; readonly gates: readonly Gate[] },
): Promise<readonly GateResult[]> {
  const papersOf = async (stage: GateStage): Promise<ArtifactManifest['performance'] | undefined> => {
    if (!gates.some(({ reference }) => reference === stage)) return undefined
    const entry = await registry.current(name, stage)
    return entry === undefined ? undefined : (await registry.artifact(name, entry.batchId, stage)).manifest.performance
  }
  const current = { production: await papersOf(STAGE_DEFAULT), staging: await papersOf(STAGING) }
  const results = gates.map(gate => checkGate(gate, manifest.performance, current))
  const failed = results.filter(({ holds }) => !holds)
  if (failed.length === 0) return results
  throw new ModelError(`${name} is not promoted: ${failed.map(gateLine).join('; ')}`, {
    code: 'gate-failed',
    next: 'Train a better one, or loosen the condition.',
  })
}
