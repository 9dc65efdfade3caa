// A loaded model as the rest of the engine sees it: many rows in, one run, one value per row and output. No runtime is
// imported here, so whoever predicts can be tested without one.
import type { ArtifactManifest } from './artifact-manifest.ts'
import type { InputTable } from './input-table.ts'
import type { Artifact } from './read-artifact.ts'

export interface ModelSession {
  readonly name: string
  /** The version: the batch ID of its artifact. */
  readonly batchId: string
  readonly manifest: ArtifactManifest
  /** One row of answers for each row of the table. Throws ModelError `model-run-failed`. */
  run(table: InputTable): Promise<ModelRun>
}

/** A number, a label, or a number for each class. */
export type OutputValue = number | string | Readonly<Record<string, number>>

export type OutputColumn = Float64Array | readonly OutputValue[]

export interface ModelRun {
  /** A column for each output of the manifest, a value for each row. */
  readonly outputs: readonly OutputColumn[]
  /**
   * Rows whose input is nothing that the file's type can say, or with a value that is not finite, out of range or no class, and which;
   * nothing of such a row may be stored.
   */
  readonly refusals: ReadonlyMap<number, string>
}

/** Opens a session, or throws ModelError: `model-refused`, `model-unloadable`, `model-contract`, `golden-differs`, `golden-invalid`. */
export type OpenSession = (artifact: Artifact, batchId: string) => Promise<ModelSession>
