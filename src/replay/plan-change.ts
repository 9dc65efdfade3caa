// What a deploy would do, decided on data alone: features that are right at once and such that wait, models that go on, wait or would be
// refused, bytes before and after, events that would be refused. Whoever asks gets the reasons why it would break something.
import type { ArtifactManifest } from '../model/artifact-manifest.ts'
import { type DefinedFeature, planModelInputs } from '../model/model-inputs.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { definedFeatures } from '../predictions/defined-features.ts'
import { type Definitions, describePipeline } from '../predictions/definitions.ts'
import { type DefinitionsDiff, diffDefinitions } from '../predictions/definitions-diff.ts'
import type { RecordedBytes, RecordedDefinitions } from '../predictions/definitions-table.ts'
import { featureReadiness, type Readiness } from '../predictions/state-readiness.ts'
import type { ItemEstimate } from '../recompute/estimate-item.ts'
import type { ContractChange } from './contract-change.ts'

export interface ChangeInput {
  readonly compiled: CompiledPipeline
  /** Undefined where nothing is deployed. */
  readonly deployed: RecordedDefinitions | undefined
  readonly estimate: ItemEstimate
  /** Model → the papers of the artifact in production; models without one are absent. Undefined: nobody looked. */
  readonly production: ReadonlyMap<string, ProductionArtifact> | undefined
  readonly events: ContractChange | undefined
  /** Share of events that may be refused that were not. */
  readonly allowedShare: number
}

export interface ProductionArtifact {
  readonly batchId: string
  readonly manifest: ArtifactManifest
}

export interface ChangePlan {
  readonly diff: DefinitionsDiff
  /** Of features that are added or changed, by name. */
  readonly readiness: ReadonlyMap<string, Readiness>
  readonly models: readonly ModelChange[]
  readonly bytes: BytesChange
  readonly events: ContractChange | undefined
  /** Why it would break something; none: it would not. */
  readonly breaks: readonly string[]
}

export interface ModelChange {
  readonly name: string
  /** Of the artifact in production; null where there is none. */
  readonly batchId: string | null
  /** `refused`: no user gets a prediction until another artifact is published. `unknown`: nobody looked. */
  readonly status: 'serves' | 'waits' | 'refused' | 'no-artifact' | 'unknown'
  /** Whether the deployed definitions refuse the artifact as well. */
  readonly isRefusedAlready: boolean
  /** Why it is refused, for people. */
  readonly detail: string | null
  /** Inputs that are null for users who are there already. */
  readonly waitsFor: readonly string[]
}

export interface BytesChange {
  readonly before: RecordedBytes | null
  readonly after: ItemEstimate
  /** Of the largest item, for the 14 days in which states that nobody reads any more are carried. */
  readonly worstWhileCarried: number
}

export function planChange(input: ChangeInput): ChangePlan {
  const { compiled, deployed, estimate, events } = input
  const now = describePipeline(compiled)
  const before = deployed?.definitions ?? nothingOf(now)
  const diff = diffDefinitions(before, now)
  const readiness = readinessOf(before, now, diff)
  const models = compiled.pipeline.models.map(({ name }) => modelChange(name, { ...input, before, readiness }))
  const bytes: BytesChange = {
    before: deployed?.bytes ?? null,
    after: estimate,
    worstWhileCarried: estimate.worst.bytes + carriedBytes(deployed, now),
  }
  return { diff, readiness, models, bytes, events, breaks: breaksOf(input, models, bytes) }
}

/** What is deployed where nothing is: of the same pipeline, without definitions. */
function nothingOf(now: Definitions): Definitions {
  return { ...now, events: [], features: [], states: [], models: [] }
}

function readinessOf(before: Definitions, now: Definitions, diff: DefinitionsDiff): ReadonlyMap<string, Readiness> {
  const [old, states] = [before, now].map(side => new Map(side.states.map(state => [state.key, state])))
  // Nobody has an item yet.
  const isFirst = before.features.length === 0
  return new Map(
    [...diff.features.added, ...diff.features.changed.map(({ after }) => after)].map(feature => [
      feature.name,
      isFirst ? { kind: 'at-once' } : featureReadiness(feature, old ?? new Map(), states ?? new Map()),
    ]),
  )
}

interface ModelInput extends ChangeInput {
  readonly before: Definitions
  readonly readiness: ReadonlyMap<string, Readiness>
}

function modelChange(name: string, { compiled, production, before, readiness }: ModelInput): ModelChange {
  const none = { name, batchId: null, isRefusedAlready: false, detail: null, waitsFor: [] }
  if (production === undefined) return { ...none, status: 'unknown' }
  const artifact = production.get(name)
  if (artifact === undefined) return { ...none, status: 'no-artifact' }
  const { batchId, manifest } = artifact
  const inputs = compiled.pipeline.models.find(model => model.name === name)?.inputs ?? []
  const plan = planModelInputs(manifest, inputs, definedFeatures(compiled))
  if (plan.kind === 'not-ready') {
    return { ...none, batchId, status: 'refused', isRefusedAlready: isRefusedBy(before, manifest), detail: plan.detail }
  }
  const waitsFor = inputs.filter(input => readiness.get(input)?.kind === 'backfill')
  return { ...none, batchId, status: waitsFor.length === 0 ? 'serves' : 'waits', waitsFor }
}

function isRefusedBy({ models, features }: Definitions, manifest: ArtifactManifest): boolean {
  const model = models.find(({ name }) => name === manifest.name)
  const defined = new Map<string, DefinedFeature>(
    features.map(({ name, fingerprint, type }) => [name, { fingerprint, type }]),
  )
  const inputs = (model?.inputs ?? []).map(({ name }) => name)
  return model !== undefined && planModelInputs(manifest, inputs, defined).kind === 'not-ready'
}

function carriedBytes(deployed: RecordedDefinitions | undefined, now: Definitions): number {
  const kept = new Set(now.states.map(({ key }) => key))
  const dropped = Object.entries(deployed?.bytes.states ?? {}).filter(([key]) => !kept.has(key))
  return dropped.reduce((sum, [, bytes]) => sum + bytes, 0)
}

function breaksOf(
  { estimate, events, allowedShare }: ChangeInput,
  models: readonly ModelChange[],
  { worstWhileCarried }: BytesChange,
): readonly string[] {
  const { worst, bytesMax } = estimate
  const breaks: string[] = []
  if (worst.bytes > bytesMax) {
    breaks.push(`a user's item may have ${worst.bytes} bytes, ${bytesMax} are allowed`)
  } else if (worstWhileCarried > bytesMax) {
    breaks.push(
      `a user's item may have ${worstWhileCarried} bytes while dropped states are carried (14 days), ${bytesMax} are allowed`,
    )
  }
  for (const { name, status, isRefusedAlready, detail } of models) {
    if (status === 'refused' && !isRefusedAlready) breaks.push(`the model ${name} would be refused: ${detail}`)
  }
  if (events !== undefined && events.newlyRefused > allowedShare * events.events) {
    breaks.push(`${events.newlyRefused} of ${events.events} events would be refused that were not`)
  }
  return breaks
}
