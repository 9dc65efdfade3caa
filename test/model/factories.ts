// Artifacts over the ONNX files of the fixtures, with papers that fit unless a test says otherwise.
import { readFileSync } from 'node:fs'
import { strToU8, zipSync } from 'fflate'
import {
  type ArtifactManifest,
  type ManifestInput,
  manifestSchema,
  type ModelInput,
} from '../../src/model/artifact-manifest.ts'
import { type InputTable, tableOfRows } from '../../src/model/input-table.ts'
import type { Artifact } from '../../src/model/read-artifact.ts'
import { sha256Hex } from '../../src/platform/hash.ts'

export function onnxFile(fixture: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(`fixtures/${fixture}.onnx`, import.meta.url)))
}

export function inputs(...names: readonly string[]): ModelInput[] {
  return names.map(name => ({ name, fingerprint: sha256Hex(name), type: 'number', missing: 'nan' }))
}

/** Papers of the fixture `wide`. */
export function manifestOf(model: Uint8Array, changes: Partial<ManifestInput> = {}): ArtifactManifest {
  return manifestSchema.parse({
    formatVersion: 1,
    name: 'churn',
    owner: 'ana',
    who: 'ana',
    when: '2001-05-01T12:00:00Z',
    description: 'Whether a customer leaves.',
    hyperparameters: { trees: 10, depth: null },
    trainingData: {
      source: 'shop.training',
      rows: 1000,
      from: '2001-01-01T00:00:00Z',
      to: '2001-04-30T23:59:59+02:00',
    },
    inputs: inputs('a', 'b', 'c'),
    outputs: [{ name: 'probability', tensor: 'probabilities', column: 1, range: [0, 1] }],
    performance: [{ metric: 'auc', slice: 'all', value: 0.71 }],
    libraries: { onnx: '1.23.2' },
    sha256: sha256Hex(model),
    bytes: model.byteLength,
    ...changes,
  })
}

export function artifactOf(fixture: string, changes: Partial<ManifestInput> = {}): Artifact {
  const model = onnxFile(fixture)
  return { manifest: manifestOf(model, changes), model }
}

/** Rows of numbers as a table; `values` are row after row. */
export function rowsOf(width: number, ...values: readonly number[]): InputTable {
  const rows = Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width))
  return tableOfRows(rows, width)
}

export function zipOf({ manifest, model }: Artifact): Uint8Array {
  return zipSync({ 'manifest.json': strToU8(JSON.stringify(manifest)), 'model.onnx': model })
}
