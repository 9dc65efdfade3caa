// A small shop with one model, for benches of models: features that are whole numbers, so that what a linear model says of them is
// exact in 32 bits and tells which version said it.
import { strToU8, zipSync } from 'fflate'
import { count, event, features, model, number, pipeline } from 'millrace'
import type { StreamRecord } from '../src/event/stream-record.ts'
import { type ArtifactManifest, manifestSchema, type ModelInput } from '../src/model/artifact-manifest.ts'
import { openOnnxSession } from '../src/model/onnx-session.ts'
import { sha256Hex } from '../src/platform/hash.ts'
import { compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../src/predictions/defined-features.ts'
import { modelPredictor } from '../src/predictions/model-predictor.ts'
import type { PinnedPredictor } from '../src/predictions/predictor.ts'

export const MODEL = 'churn'
export const START_MS = Date.UTC(2026, 0, 1)

const order = event('order', {
  id: 'id',
  user: 'user',
  time: 'at',
  lateness: '6h',
  fields: { amount: number({ scale: 0 }) },
})
const customer = features({
  ordersEver: count(order),
  orders30d: count(order, { within: '30d' }),
  big7d: count(order, { within: '7d', where: { amount: { above: 50 } } }),
})
export const INPUT_NAMES = ['ordersEver', 'orders30d', 'big7d'] as const
export const shop = compilePipeline(
  pipeline({
    name: 'bench',
    events: [order],
    features: customer,
    models: [model(MODEL, { from: customer, inputs: [...INPUT_NAMES], owner: 'bench' })],
  }),
)

/** Inputs of the shop's own features. */
export function shopInputs(): ModelInput[] {
  const defined = definedFeatures(shop)
  return INPUT_NAMES.map(name => ({
    name,
    fingerprint: defined.get(name)?.fingerprint ?? '',
    type: 'number',
    missing: 0,
  }))
}

export function anyInputs(width: number): ModelInput[] {
  return Array.from({ length: width }, (_, index) => {
    const name = `input${index}`
    return { name, fingerprint: sha256Hex(name), type: 'number', missing: 0 }
  })
}

export interface BenchArtifact {
  readonly manifest: ArtifactManifest
  readonly model: Uint8Array
}

export function benchArtifact(onnx: Uint8Array, inputs: readonly ModelInput[], description: string): BenchArtifact {
  const manifest = manifestSchema.parse({
    formatVersion: 1,
    name: MODEL,
    owner: 'bench',
    who: 'bench',
    when: '2026-01-01T00:00:00Z',
    description,
    trainingData: { source: 'none', rows: 0, from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' },
    inputs,
    outputs: [{ name: 'score', tensor: 'y' }],
    sha256: sha256Hex(onnx),
    bytes: onnx.byteLength,
  })
  return { manifest, model: onnx }
}

export function zipOf({ manifest, model: onnx }: BenchArtifact): Uint8Array {
  return zipSync({ 'manifest.json': strToU8(JSON.stringify(manifest)), 'model.onnx': onnx }, { level: 0 })
}

/** Always this one version. */
export async function pinnedTo(artifact: BenchArtifact, batchId: string): Promise<PinnedPredictor> {
  const session = await openOnnxSession(artifact, batchId)
  return modelPredictor(shop, name => ({
    name,
    session: async () => session,
    batchId: async () => batchId,
  })).pinned()
}

/** The n-th order of a user, in the order of its sequence. */
export function orderRecord(user: string, sequence: number): StreamRecord {
  const atMs = START_MS + sequence
  const body = { type: 'order', id: `${sequence}`, user, at: new Date(atMs).toISOString(), amount: sequence % 100 }
  return {
    stream: 'events@1',
    shard: 'shardId-000000000000',
    sequence: `${sequence}`,
    arrivalMs: atMs + 1000,
    partitionKey: user,
    dataBase64: Buffer.from(JSON.stringify(body)).toString('base64'),
  }
}

export async function refuseAside(): Promise<never> {
  throw new Error('The bench has events that are set aside')
}
