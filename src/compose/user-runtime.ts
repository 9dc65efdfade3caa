// What the functions that look at users have in common: the compiled pipeline, the stores, and the models in production.
import { readTrustedKeys } from '../model/signature.ts'
import type { TimeLeft } from '../platform/deadline.ts'
import { type CompiledPipeline, compilePipeline } from '../predictions/compile-pipeline.ts'
import { type Pipeline, shadowNames } from '../predictions/pipeline.ts'
import type { Predictor } from '../predictions/predictor.ts'
import type { SpillStore } from '../store/spill-store.ts'
import { createPredictor } from './predictor.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import { archiveStore, deployedSpills, deployedStores, type ObserveCommits, type Stores } from './stores.ts'

export interface UserRuntime extends Runtime, Stores {
  readonly compiled: CompiledPipeline
  readonly predictor: Predictor
  readonly spills: SpillStore
}

export interface UserRuntimeOptions {
  /** Of every call to a store. */
  readonly timeLeftMs: TimeLeft
  /** Those that are predicted by; all unless said. */
  readonly models?: 'all' | 'served'
  /** Of a function that commits: who is told of it. */
  readonly observe?: (runtime: Runtime) => ObserveCommits | undefined
}

export function createUserRuntime(
  pipeline: Pipeline,
  functionName: string,
  { timeLeftMs, models = 'all', observe }: UserRuntimeOptions,
): UserRuntime {
  const runtime = createRuntime(pipeline.name, functionName)
  const { clients, environment, telemetry, world } = runtime
  const compiled = compilePipeline(pipeline)
  const stores = deployedStores(clients, environment, world, {
    timeLeftMs,
    onUnprocessed: keys => telemetry.count('unprocessedKeys', keys),
    observe: observe?.(runtime),
  })
  const predictor = createPredictor(models === 'all' ? compiled : withoutShadows(compiled), {
    catalog: stores.catalog,
    clock: world.clock,
    refreshMs: environment.modelRefreshMs,
    trustedKeys: readTrustedKeys(environment.modelKeys),
    onError: telemetry.error,
    onRunError: telemetry.error,
  })
  const spills = deployedSpills(archiveStore(clients.s3, environment.archiveBucket, world, { timeLeftMs }))
  return { ...runtime, ...stores, compiled, predictor, spills }
}

function withoutShadows(compiled: CompiledPipeline): CompiledPipeline {
  const { pipeline } = compiled
  const shadows = shadowNames(pipeline)
  return { ...compiled, pipeline: { ...pipeline, models: pipeline.models.filter(({ name }) => !shadows.has(name)) } }
}
