// A loaded model as the rest of the engine sees it: many rows in, one run, one value per row and output. No runtime is
// imported here, so whoever predicts can be tested without one.
import type { ArtifactManifest } from './artifact-manifest.ts'
import type { Artifact } from './read-artifact.ts'

export interface ModelSession {
  readonly name: string
  /** The version: the batch ID of its artifact. */
  readonly batchId: string
  readonly manifest: ArtifactManifest
  /** `rows` holds `rowCount` rows of one value per manifest input, in that order. Throws ModelError `model-run-failed`. */
  run(rows: Float32Array, rowCount: number): Promise<ModelRun>
}

export interface ModelRun {
  /** One array per manifest output, one value per row. */
  readonly outputs: readonly Float64Array[]
  /** Rows with a value that is not finite or out of range, and which; nothing of such a row may be stored. */
  readonly refusals: ReadonlyMap<number, string>
}

/** Opens a session, or throws ModelError: `model-refused`, `model-unloadable`, `model-contract`. */
export type OpenSession = (artifact: Artifact, batchId: string) => Promise<ModelSession>
