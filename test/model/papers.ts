// Artifacts of format 2 with everything that one can have, as lists of entries that a test can change.
import { type ManifestInput } from '../../src/model/artifact-manifest.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import { manifestOf, onnxFile } from './factories.ts'
import { type RawEntry, rawZip } from './zip-writer.ts'

export const SCRIPT = 'print("trained")\n'

const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score))

/** Of the fixture `wide`: probability = sigmoid(a + 2b - c). */
export function goldenText(changes: Readonly<Record<string, unknown>> = {}): string {
  const inputs = [
    [0, 0, 0],
    [1, 2, 3],
  ]
  return JSON.stringify({ formatVersion: 1, inputs, outputs: { probability: [0.5, sigmoid(2)] }, ...changes })
}

export interface Papers {
  readonly model?: Uint8Array
  readonly golden?: string
  readonly manifest?: Partial<ManifestInput>
  readonly extra?: Readonly<Record<string, string>>
}

/** The entries of a whole, right artifact: manifest, model, golden rows and a script. */
export function papers({
  model = onnxFile('wide'),
  golden = goldenText(),
  manifest = {},
  extra,
}: Papers = {}): RawEntry[] {
  const files = { 'golden.json': golden, ...(extra ?? { 'extra/train.py': SCRIPT }) }
  const described = Object.entries(files).map(([name, text]) => [
    name,
    { sha256: sha256Hex(text), bytes: Buffer.byteLength(text) },
  ])
  const papersOf = manifestOf(model, { formatVersion: 2, files: Object.fromEntries(described), ...manifest })
  return [
    { name: 'manifest.json', content: JSON.stringify(papersOf) },
    { name: 'model.onnx', content: model },
    ...Object.entries(files).map(([name, content]) => ({ name, content })),
  ]
}

export function papersZip(options: Papers = {}): Uint8Array {
  return rawZip({ entries: papers(options) })
}
