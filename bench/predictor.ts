// The repo's own model, as the functions run it: the artifact's bytes through the same session, without a catalogue before it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openOnnxSession } from '../src/model/onnx-session.ts'
import { readArtifact } from '../src/model/read-artifact.ts'
import pipeline from '../src/pipeline/index.ts'
import { compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { modelPredictor } from '../src/predictions/model-predictor.ts'
import type { Predictor } from '../src/predictions/predictor.ts'

const ARTIFACT_FILE = join(import.meta.dirname, '..', 'models', 'late-arrival', 'late-arrival.zip')
const BATCH_ID = '20260131180000-aaaaaaaa'

export async function lateArrivalPredictor(): Promise<Predictor> {
  const session = await openOnnxSession(readArtifact(readFileSync(ARTIFACT_FILE)), BATCH_ID)
  return modelPredictor(compilePipeline(pipeline), name => ({
    name,
    session: async () => session,
    batchId: async () => BATCH_ID,
  }))
}
