// By which versions `model rescore` predicts: of its model the one that is asked for, wherever it is, and of the others those that
// serve. All are opened before anybody is written, and of its model what does not fit this folder is refused.
import type { LogEntry } from '../catalog/items.ts'
import { modelNotFound } from '../model/model-not-found.ts'
import { STAGE_DEFAULT as SERVING, STAGING } from '../model/model-refs.ts'
import { openOnnxSession } from '../model/onnx-session.ts'
import { type Misfit, modelSource } from '../model/model-source.ts'
import { pinnedSource } from '../model/pinned-source.ts'
import {
  planPromotion,
  planVersionRollback,
  promoteVersion,
  type Reason,
  rollbackVersion,
  type VersionPorts,
} from '../model/promote-version.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { modelPredictor } from '../predictions/model-predictor.ts'
import type { PinnedPredictor } from '../predictions/predictor.ts'
import type { RescoreTarget } from '../rescore/rescore-users.ts'

/** What is in production of the model. Throws ModelError `model-not-found`, and what the registry throws. */
export async function servingEntry({ registry }: VersionPorts, name: string): Promise<LogEntry> {
  const entry = await registry.current(name)
  if (entry === undefined) throw modelNotFound(name, SERVING)
  return entry
}

/** Held against its papers, its golden rows and this folder. Throws ModelError, CatalogError. */
export async function checkServing(ports: VersionPorts, { model, batchId }: RescoreTarget): Promise<void> {
  const artifact = await ports.registry.artifact(model, batchId)
  await ports.openSession(artifact, batchId)
  ports.checkInputs(artifact.manifest)
}

export interface Swap {
  /** Where the version is read before it serves. */
  readonly stage: string
  readonly swap: () => Promise<LogEntry>
}

/** A version that served before comes back by a rollback, another one by a promotion. Throws what those throw, with nothing written. */
export async function planSwap(ports: VersionPorts, { model, batchId }: RescoreTarget, reason: Reason): Promise<Swap> {
  const served = await ports.registry.history(model)
  if (served.some(entry => entry.batchId === batchId)) {
    const request = { name: model, stage: SERVING, batchId }
    await planVersionRollback(ports, request)
    return { stage: SERVING, swap: () => rollbackVersion(ports, request, reason) }
  }
  const request = { name: model, from: STAGING, to: SERVING, batchId, skipsStaging: false, gates: [] }
  await planPromotion(ports, request)
  return { stage: STAGING, swap: () => promoteVersion(ports, request, reason) }
}

/**
 * Of another model what functions serve: where the version in production cannot be used here, the one that stands in for it. Throws
 * CatalogError, ObjectStoreError, ModelError.
 */
export async function predictorOf(
  compiled: CompiledPipeline,
  { registry }: VersionPorts,
  { model, batchId, stage }: RescoreTarget & { readonly stage: string },
): Promise<PinnedPredictor> {
  const openSession = openOnnxSession
  const source = (name: string, misfit: Misfit) =>
    name === model
      ? pinnedSource({
          name,
          batchId,
          registry: { artifact: (own, id) => registry.artifact(own, id, stage) },
          openSession,
        })
      : modelSource({
          name,
          registry,
          openSession,
          misfit,
          clock: () => 0,
          refreshMs: Number.POSITIVE_INFINITY,
          onProblem: () => undefined,
        })
  return modelPredictor(compiled, source).pinned()
}
