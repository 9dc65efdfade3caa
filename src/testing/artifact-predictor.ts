// Predictions in a test: model artifacts as a training script wrote them, in the runtime that the functions use. The runtime is
// loaded by the first test that asks for it, and by no other.
import type { ModelSession } from '../model/model-session.ts'
import { readArtifact } from '../model/read-artifact.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { modelPredictor } from '../predictions/model-predictor.ts'
import type { Predictor } from '../predictions/predictor.ts'
import { TestingError } from './errors.ts'

/** Model name → the bytes of its artifact, a zip. */
export type Artifacts = Readonly<Record<string, Uint8Array>>

/** No artifact of a test was published: one name for all of them. */
export const TEST_BATCH_ID = '20000101000000-testtest'

/** A model without an artifact is `no-model`. Throws ModelError, TestingError. */
export async function artifactPredictor(compiled: CompiledPipeline, artifacts: Artifacts): Promise<Predictor> {
  const sessions = new Map<string, ModelSession>()
  const { openOnnxSession } = await import('../model/onnx-session.ts')
  for (const [name, zip] of Object.entries(artifacts)) {
    const artifact = readArtifact(zip)
    if (artifact.manifest.name !== name || !compiled.pipeline.models.some(model => model.name === name)) {
      throw new TestingError(`The artifact of ${artifact.manifest.name} is given for the model ${name}`, {
        code: 'model-unknown',
        next: `Models of the pipeline: ${compiled.pipeline.models.map(model => model.name).join(', ')}.`,
      })
    }
    sessions.set(name, await openOnnxSession(artifact, TEST_BATCH_ID))
  }
  return modelPredictor(compiled, name => ({
    name,
    session: async () => sessions.get(name),
    batchId: async () => sessions.get(name)?.batchId,
  }))
}
