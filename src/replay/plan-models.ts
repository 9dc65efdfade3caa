// What a deploy would do to the models in production. A version that does not fit the definitions is not run: the newest one before it
// that fits stands in, as src/model/model-source.ts has it, and only where there is none is nobody predicted for.
import type { ArtifactManifest } from '../model/artifact-manifest.ts'
import { type DefinedFeature, planModelInputs } from '../model/model-inputs.ts'
import type { VersionPapers } from '../model/stand-ins.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { definedFeatures } from '../predictions/defined-features.ts'
import type { Definitions } from '../predictions/definitions.ts'
import type { Readiness } from '../predictions/state-readiness.ts'

export interface ProductionArtifact extends VersionPapers {
  /** What may stand in for it, newest first; asked for only where it does not fit. */
  readonly earlier?: readonly VersionPapers[]
}

export interface ModelChange {
  readonly name: string
  /** Of the artifact in production; null where there is none. */
  readonly batchId: string | null
  /**
   * `stood-in`: an earlier version serves until one that fits is in production. `refused`: none does, and no user gets a prediction until
   * then. `unknown`: nobody looked.
   */
  readonly status: 'serves' | 'waits' | 'stood-in' | 'refused' | 'no-artifact' | 'unknown'
  /** The version that would serve: the one in production or what stands in for it; null where none would. */
  readonly servedBy: string | null
  /** The version that serves by the deployed definitions; null where none does, or nobody knows. */
  readonly servedByNow: string | null
  /** Whether the deployed definitions refuse the artifact as well. */
  readonly isRefusedAlready: boolean
  /** Why it is refused, for people. */
  readonly detail: string | null
  /** Inputs that are null for users who are there already. */
  readonly waitsFor: readonly string[]
}

export interface ModelsInput {
  readonly compiled: CompiledPipeline
  /** What is deployed. */
  readonly before: Definitions
  readonly readiness: ReadonlyMap<string, Readiness>
  readonly production: ReadonlyMap<string, ProductionArtifact> | undefined
}

export function modelChange(name: string, { compiled, production, before, readiness }: ModelsInput): ModelChange {
  const none = {
    name,
    batchId: null,
    servedBy: null,
    servedByNow: null,
    isRefusedAlready: false,
    detail: null,
    waitsFor: [],
  }
  if (production === undefined) return { ...none, status: 'unknown' }
  const artifact = production.get(name)
  if (artifact === undefined) return { ...none, status: 'no-artifact' }
  const { batchId, manifest, earlier = [] } = artifact
  const versions = [artifact, ...earlier]
  const servedByNow = versions.find(version => misfitBefore(before, version.manifest) === undefined)?.batchId ?? null
  const detail = misfitOf(compiled, manifest)
  const serving = versions.find(version => misfitOf(compiled, version.manifest) === undefined)
  const found = { ...none, batchId, servedByNow }
  if (serving === undefined || detail !== undefined) {
    const isRefusedAlready = ![undefined, NOT_A_MODEL].includes(misfitBefore(before, manifest))
    const refused = { ...found, isRefusedAlready, detail: detail ?? null }
    if (serving === undefined) return { ...refused, status: 'refused' }
    return { ...refused, status: 'stood-in', servedBy: serving.batchId, waitsFor: waitsFor(name, compiled, readiness) }
  }
  const waits = waitsFor(name, compiled, readiness)
  return { ...found, servedBy: batchId, status: waits.length === 0 ? 'serves' : 'waits', waitsFor: waits }
}

/** Why it would break something; undefined where it would not, or is as it is already. */
export function modelBreak(change: ModelChange): string | undefined {
  const { name, batchId, status, servedBy, servedByNow, isRefusedAlready, detail } = change
  if (status === 'refused') {
    const isSo = isRefusedAlready && servedByNow === null
    return isSo ? undefined : `the model ${name} would be refused: ${detail}`
  }
  if (status !== 'stood-in' || (isRefusedAlready && servedBy === servedByNow)) return undefined
  return `the model ${name} would go back to ${servedBy}, as ${batchId} would be refused: ${detail}`
}

/** Whether the folder or what is deployed refuses it, so that it matters what was before it. */
export function isMisfitOfEither(
  compiled: CompiledPipeline,
  deployed: Definitions | undefined,
  manifest: ArtifactManifest,
): boolean {
  if (misfitOf(compiled, manifest) !== undefined) return true
  return deployed !== undefined && misfitBefore(deployed, manifest) !== undefined
}

/** All versions of a model have the same inputs: those of its definition. */
function waitsFor(
  name: string,
  { pipeline }: CompiledPipeline,
  readiness: ReadonlyMap<string, Readiness>,
): readonly string[] {
  const inputs = pipeline.models.find(model => model.name === name)?.inputs ?? []
  return inputs.filter(input => readiness.get(input)?.kind === 'backfill')
}

function misfitOf(compiled: CompiledPipeline, manifest: ArtifactManifest): string | undefined {
  const inputs = compiled.pipeline.models.find(({ name }) => name === manifest.name)?.inputs ?? []
  const plan = planModelInputs(manifest, inputs, definedFeatures(compiled))
  return plan.kind === 'not-ready' ? plan.detail : undefined
}

const NOT_A_MODEL = 'it was no model of the pipeline'

function misfitBefore({ models, features }: Definitions, manifest: ArtifactManifest): string | undefined {
  const model = models.find(({ name }) => name === manifest.name)
  if (model === undefined) return NOT_A_MODEL
  const defined = new Map<string, DefinedFeature>(
    features.map(({ name, fingerprint, type }) => [name, { fingerprint, type }]),
  )
  const plan = planModelInputs(
    manifest,
    model.inputs.map(({ name }) => name),
    defined,
  )
  return plan.kind === 'not-ready' ? plan.detail : undefined
}
