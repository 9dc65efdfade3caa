// The pipeline's predictor on the real adapters: artifacts from the catalogue, sessions of ONNX Runtime.
import type { Catalog } from '../catalog/catalog.ts'
import { stagesWith } from '../model/model-listing.ts'
import { STAGE_DEFAULT } from '../model/model-refs.ts'
import { type Misfit, modelSource } from '../model/model-source.ts'
import { openOnnxSession } from '../model/onnx-session.ts'
import { pinnedSource } from '../model/pinned-source.ts'
import type { Artifact } from '../model/read-artifact.ts'
import { modelRegistry } from '../model/registry.ts'
import type { TrustedKeys } from '../model/signature.ts'
import type { Clock } from '../platform/clock.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { modelPredictor } from '../predictions/model-predictor.ts'
import type { PinnedPredictor, Predictor } from '../predictions/predictor.ts'

export interface PredictorOptions {
  readonly catalog: Catalog
  readonly clock: Clock
  /** How long a production pointer is believed. */
  readonly refreshMs: number
  /** Versions that none of them has signed are never loaded; of none: any version is. */
  readonly trustedKeys?: TrustedKeys
  /** A version that cannot be used is told here, and the one before goes on serving. */
  readonly onError: (error: unknown) => void
  /** A run that failed is told here; the users on whose inputs it fails are `refused`. */
  readonly onRunError?: (error: unknown) => void
}

export function createPredictor(compiled: CompiledPipeline, options: PredictorOptions): Predictor {
  const registry = modelRegistry(options.catalog, options)
  const source = (name: string, misfit: Misfit) =>
    modelSource({
      name,
      misfit,
      registry,
      openSession: openOnnxSession,
      clock: options.clock,
      refreshMs: options.refreshMs,
      onProblem: options.onError,
    })
  return modelPredictor(compiled, source, options.onRunError)
}

export interface PinnedOptions extends Pick<PredictorOptions, 'catalog' | 'onRunError' | 'trustedKeys'> {
  /** Model → batch ID; a model that is not there is `no-model`. */
  readonly versions: Readonly<Record<string, string>>
}

/** These versions and no other, whatever is in production. Throws CatalogError, ObjectStoreError, ModelError. */
export async function createPinnedPredictor(
  compiled: CompiledPipeline,
  { versions, onRunError, ...options }: PinnedOptions,
): Promise<PinnedPredictor> {
  const registry = modelRegistry(options.catalog, options)
  // Users are scored by a version before it is in production: it is read in a stage that has it.
  const artifact = async (name: string, batchId: string): Promise<Artifact> => {
    const stages = await stagesWith(options.catalog, name, batchId)
    return registry.artifact(name, batchId, stages.includes(STAGE_DEFAULT) ? STAGE_DEFAULT : stages[0])
  }
  const source = (name: string) =>
    pinnedSource({
      name,
      batchId: Object.hasOwn(versions, name) ? versions[name] : undefined,
      registry: { artifact },
      openSession: openOnnxSession,
    })
  return modelPredictor(compiled, source, onRunError).pinned()
}
