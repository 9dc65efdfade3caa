// What the functions that look at users have in common: the compiled pipeline, the stores, and the models in production.
import { readTrustedKeys } from '../model/signature.ts'
import type { TimeLeft } from '../platform/deadline.ts'
import { type CompiledPipeline, compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import type { Predictor } from '../predictions/predictor.ts'
import { createPredictor } from './predictor.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import { deployedStores, type Stores } from './stores.ts'

export interface UserRuntime extends Runtime, Stores {
  readonly compiled: CompiledPipeline
  readonly predictor: Predictor
}

/** `timeLeftMs`: of every call to a store. */
export function createUserRuntime(
  pipeline: Pipeline,
  functionName: string,
  { timeLeftMs }: { readonly timeLeftMs: TimeLeft },
): UserRuntime {
  const runtime = createRuntime(pipeline.name, functionName)
  const { clients, environment, telemetry, world } = runtime
  const compiled = compilePipeline(pipeline)
  const stores = deployedStores(clients, environment, world, {
    timeLeftMs,
    onUnprocessed: keys => telemetry.count('unprocessedKeys', keys),
  })
  const predictor = createPredictor(compiled, {
    catalog: stores.catalog,
    clock: world.clock,
    refreshMs: environment.modelRefreshMs,
    trustedKeys: readTrustedKeys(environment.modelKeys),
    onError: telemetry.error,
    onRunError: telemetry.error,
  })
  return { ...runtime, ...stores, compiled, predictor }
}
