// What a run of the snapshot works with.
import type { Catalog } from '../catalog/catalog.ts'
import type { Clock, Sleep } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { PinnedPredictor } from '../predictions/predictor.ts'
import type { UserStore } from '../store/user-item.ts'
import type { SnapshotRuns } from './snapshot-runs.ts'

export interface RunDependencies {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly catalog: Catalog
  readonly runs: SnapshotRuns
  readonly clock: Clock
  readonly random: Random
  readonly sleep: Sleep
  /** Of all segments that this process works at, one after the other; without it as fast as it goes. */
  readonly readUnitsPerSecond?: number | undefined
  /** How many items the table had some hours ago, where the store tells. */
  readonly tableItems?: (() => Promise<number | undefined>) | undefined
}

/** With the versions of the models that the run began with. */
export interface WorkDependencies extends RunDependencies {
  readonly predictor: PinnedPredictor
}
