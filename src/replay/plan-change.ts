// What a deploy would do, decided on data alone: features that are right at once and such that wait, models that go on, wait, go back
// or would be refused, bytes before and after, events that would be refused. Whoever asks gets the reasons why it would break something.
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { type Definitions, describePipeline } from '../predictions/definitions.ts'
import { type DefinitionsDiff, diffDefinitions } from '../predictions/definitions-diff.ts'
import type { RecordedBytes, RecordedDefinitions } from '../predictions/definitions-table.ts'
import { featureReadiness, type Readiness } from '../predictions/state-readiness.ts'
import type { ItemEstimate } from '../recompute/estimate-item.ts'
import type { ContractChange } from './contract-change.ts'
import { modelBreak, type ModelChange, modelChange, type ProductionArtifact } from './plan-models.ts'

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
  const models = compiled.pipeline.models.map(({ name }) =>
    modelChange(name, { compiled, production: input.production, before, readiness }),
  )
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
  breaks.push(...models.flatMap(model => modelBreak(model) ?? []))
  if (events !== undefined && events.newlyRefused > allowedShare * events.events) {
    breaks.push(`${events.newlyRefused} of ${events.events} events would be refused that were not`)
  }
  return breaks
}
