// A model source over a registry of versions by name, and what can be wrong with one.
import { CatalogError } from '../../src/catalog/errors.ts'
import type { LogEntry } from '../../src/catalog/items.ts'
import { ModelError } from '../../src/model/errors.ts'
import type { ModelSession } from '../../src/model/model-session.ts'
import { type ModelSource, modelSource } from '../../src/model/model-source.ts'
import type { Artifact } from '../../src/model/read-artifact.ts'
import { artifactOf } from './factories.ts'

export const REFRESH_MS = 30_000
const ARTIFACT = artifactOf('wide')
export const MISFIT = 'Trained on other definitions.'
export const UNFIT = artifactOf('wide', { description: MISFIT })

/** A registry of versions by name; what `faults` holds for one is thrown when it is asked for. */
export class World {
  nowMs = 1_000_000
  log: string[] = []
  readonly faults = new Map<string, Error>()
  readonly calls = { current: 0, history: 0, artifact: 0, yank: 0 }
  readonly artifacts = new Map<string, Artifact>()
  readonly opened: string[] = []
  readonly problems: (string | undefined)[] = []
  readonly source: ModelSource = modelSource({
    name: 'churn',
    refreshMs: REFRESH_MS,
    clock: () => this.nowMs,
    misfit: ({ description }) => (description === MISFIT ? 'a was defined otherwise' : undefined),
    onProblem: (_error, batchId) => this.problems.push(batchId),
    registry: {
      current: async () => {
        this.calls.current++
        this.#fail('pointer')
        return this.#entries()[0]
      },
      history: async (_name, _stage, limit) => {
        this.calls.history++
        this.#fail('history')
        return this.#entries().slice(0, limit)
      },
      artifact: async (_name, batchId) => {
        this.calls.artifact++
        await new Promise(resolve => setImmediate(resolve))
        this.#fail(batchId)
        return this.artifacts.get(batchId) ?? ARTIFACT
      },
      refuseYanked: async (_name, batchId) => {
        this.calls.yank++
        this.#fail(`yank ${batchId}`)
      },
    },
    openSession: async ({ manifest }, batchId): Promise<ModelSession> => {
      this.#fail(`open ${batchId}`)
      this.opened.push(batchId)
      return { name: manifest.name, batchId, manifest, run: async () => ({ outputs: [], refusals: new Map() }) }
    },
  })

  async served(): Promise<string | undefined> {
    return (await this.source.session())?.batchId
  }

  #entries(): LogEntry[] {
    const entry = { kind: 'commit' as const, at: 0, who: 'ana', why: 'better', token: '' }
    return this.log.map((batchId, index) => ({ ...entry, number: index + 1, batchId })).toReversed()
  }

  #fail(what: string): void {
    const fault = this.faults.get(what)
    if (fault !== undefined) throw fault
  }
}

export const bad = new ModelError('bad', { code: 'artifact-hash' })
export const damaged = new CatalogError('damaged', { code: 'batch-damaged' })
export const down = new CatalogError('down', { code: 'catalog-unavailable', retriable: true })
export const denied = new CatalogError('denied', { code: 'catalog-refused' })

export const yanked = new CatalogError('yanked', { code: 'batch-yanked' })
