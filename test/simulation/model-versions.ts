// Versions of the model in a registry that can be swapped under the running functions and that is at times not to be reached. A
// version answers version × the sum of its inputs, so an answer says by which version and from what it was made.
import type { LogEntry } from '../../src/catalog/items.ts'
import { CatalogError } from '../../src/catalog/errors.ts'
import type { ModelSession } from '../../src/model/model-session.ts'
import { type ModelSource, modelSource } from '../../src/model/model-source.ts'
import type { Artifact } from '../../src/model/read-artifact.ts'
import type { Clock } from '../../src/platform/clock.ts'
import type { CompiledPipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { manifestOf } from '../model/factories.ts'
import { MODEL_INPUTS } from './definitions.ts'
import type { Faults } from './faults.ts'

const REFRESH_MS = 30_000
/** `range` of the manifest: what is beyond it is refused. */
const VALUE_MAX = 1e12

export interface ModelVersions {
  /** Version 0: nothing is published. */
  readonly current: number
  publish(version: number): void
  sourceFor(clock: Clock): (name: string) => ModelSource
}

export function batchIdOf(version: number): string {
  return `20240101000000-${String(version).padStart(8, '0')}`
}

export function versionOf(batchId: string): number {
  return Number(batchId.slice(-8))
}

/** What a version must answer. */
export function answerOf(version: number, inputs: readonly (number | null)[]): number {
  return version * inputs.reduce((sum: number, value) => sum + Math.fround(value ?? 0), 0)
}

/** `compiled` defines every input. */
export function modelVersions(compiled: CompiledPipeline, faults: Faults): ModelVersions {
  const published: number[] = []
  const entry = (version: number) => ({ batchId: batchIdOf(version) }) as LogEntry
  const registry = {
    async current() {
      if (faults.fires('model unavailable', 2)) throw unavailable()
      const version = published.at(-1)
      return version === undefined ? undefined : entry(version)
    },
    history: async () => published.toReversed().map(entry),
    refuseYanked: async () => undefined,
    async artifact(name: string, batchId: string) {
      if (faults.fires('model unavailable', 2)) throw unavailable()
      return artifactFor(compiled, name, versionOf(batchId))
    },
  }
  return {
    get current() {
      return published.at(-1) ?? 0
    },
    publish: version => void published.push(version),
    sourceFor: clock => name =>
      modelSource({
        name,
        registry,
        openSession: async (artifact, batchId) => session(artifact, batchId),
        clock,
        refreshMs: REFRESH_MS,
        onProblem: () => undefined,
      }),
  }
}

function unavailable(): CatalogError {
  return new CatalogError('The catalogue did not answer', { code: 'catalog-unavailable', retriable: true })
}

function artifactFor(compiled: CompiledPipeline, model: string, version: number): Artifact {
  const defined = definedFeatures(compiled)
  const file = Buffer.from(`version ${version}`)
  const inputs = (MODEL_INPUTS[model] ?? []).map(name => ({
    name,
    fingerprint: defined.get(name)?.fingerprint ?? '',
    type: 'number' as const,
    missing: 0,
  }))
  const outputs = [{ name: 'score', tensor: 'score', column: 0, range: [-VALUE_MAX, VALUE_MAX] as [number, number] }]
  return { model: file, manifest: manifestOf(file, { name: model, inputs, outputs }) }
}

function session({ manifest }: Artifact, batchId: string): ModelSession {
  return {
    name: manifest.name,
    batchId,
    manifest,
    run: async ({ columns, rowCount }) => ({
      outputs: [
        Float64Array.from({ length: rowCount }, (_, row) =>
          answerOf(
            versionOf(batchId),
            columns.map(column => Number(column[row])),
          ),
        ),
      ],
      refusals: new Map(),
    }),
  }
}
