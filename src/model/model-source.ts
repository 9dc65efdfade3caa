// The model that serves now. The pointer is looked at every so often and the artifact loaded when it has moved; a version
// that is bad, yanked, trained on other definitions or not to be fetched never replaces one that works, and at a cold start the
// newest usable one serves. Where none fits the definitions, the newest one says so for everybody.
import { CatalogError } from '../catalog/errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { ArtifactManifest } from './artifact-manifest.ts'
import { ModelError } from './errors.ts'
import type { ModelSession, OpenSession } from './model-session.ts'
import type { ModelRegistry } from './registry.ts'

export interface ModelSource {
  readonly name: string
  /** undefined: nothing usable was ever published. Throws only where nothing is loaded and the registry cannot be asked. */
  session(): Promise<ModelSession | undefined>
  /** The version that `session` would give, by the pointer alone: no artifact is fetched for it. */
  batchId(): Promise<string | undefined>
}

export interface ModelSourceOptions {
  readonly name: string
  readonly stage?: string
  readonly registry: Pick<ModelRegistry, 'current' | 'history' | 'artifact' | 'refuseYanked'>
  readonly openSession: OpenSession
  /** Why a version does not fit the definitions of this process, undefined where it does; without it all fit. */
  readonly misfit?: Misfit | undefined
  readonly clock: Clock
  /** MODEL_REFRESH_MS: how long a pointer is believed, and how long after a failure nothing is asked. */
  readonly refreshMs: number
  /** Told of every version that could not be used and every look that failed. */
  readonly onProblem: (error: unknown, batchId: string | undefined) => void
}

export type Misfit = (manifest: ArtifactManifest) => string | undefined

/** How many versions before the current one are tried at a cold start whose current version is not usable. */
export const VERSIONS_TRIED_MAX = 5

export function modelSource(options: ModelSourceOptions): ModelSource {
  return new RefreshedSource(options)
}

class RefreshedSource implements ModelSource {
  readonly name: string
  readonly #options: ModelSourceOptions
  /** Versions that can never be used: neither artifacts nor this process's definitions change, so they are not fetched again. */
  readonly #bad = new Set<string>()
  /** Of those among them that do not fit the definitions: what answers that, where nothing else is there. */
  readonly #misfits = new Map<string, ModelSession>()
  #session: ModelSession | undefined
  /** Newest usable version as far as known; undefined: none. */
  #wanted: string | undefined
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #look: Promise<void> | undefined
  #load: Promise<void> | undefined

  constructor(options: ModelSourceOptions) {
    this.name = options.name
    this.#options = options
  }

  async batchId(): Promise<string | undefined> {
    await this.#refresh()
    return this.#wanted
  }

  async session(): Promise<ModelSession | undefined> {
    await this.#refresh()
    // Again where a look has moved the pointer while a load was under way.
    while (this.#wanted !== this.#session?.batchId) {
      this.#load ??= this.#loadWanted().finally(() => {
        this.#load = undefined
      })
      await this.#load
    }
    return this.#session
  }

  /** One look at a time: whoever comes meanwhile waits for it. */
  async #refresh(): Promise<void> {
    const { clock, refreshMs } = this.#options
    if (clock() - this.#lookedAtMs < refreshMs) return
    this.#look ??= this.#lookAtPointer().finally(() => {
      this.#look = undefined
    })
    await this.#look
  }

  async #lookAtPointer(): Promise<void> {
    const { registry, name, stage, clock, onProblem } = this.#options
    const startedMs = clock()
    try {
      const current = await registry.current(name, stage)
      if (!this.#isPassedOver(current?.batchId) || (await this.#losesStandIn())) this.#wanted = current?.batchId
      this.#lookedAtMs = startedMs
    } catch (error) {
      if (this.#lookedAtMs === Number.NEGATIVE_INFINITY) throw error
      this.#lookedAtMs = startedMs
      onProblem(error, undefined)
    }
  }

  /** Known not to be usable, while what is there is better. */
  #isPassedOver(batchId: string | undefined): boolean {
    if (batchId === undefined || !this.#bad.has(batchId)) return false
    return !this.#misfits.has(batchId) || this.#isServing()
  }

  /** What serves instead of the current version is current nowhere, so that it can be yanked while it serves. */
  async #losesStandIn(): Promise<boolean> {
    if (!this.#isServing() || !(await this.#isYanked(this.#session))) return false
    this.#session = undefined
    return true
  }

  #isServing(): boolean {
    return this.#session !== undefined && !this.#misfits.has(this.#session.batchId)
  }

  async #loadWanted(): Promise<void> {
    const wanted = this.#wanted
    if (wanted === undefined) {
      this.#session = undefined
      return
    }
    if (await this.#tryLoad(wanted)) return
    if (!this.#isServing() || (await this.#isYanked(this.#session))) await this.#loadEarlier()
    if (this.#wanted === wanted) this.#wanted = this.#session?.batchId
  }

  /** What served before the current version, newest first: for a process that holds nothing good. */
  async #loadEarlier(): Promise<void> {
    const { registry, name, stage } = this.#options
    const entries = await registry.history(name, stage, VERSIONS_TRIED_MAX)
    const versions = [...new Set(entries.map(entry => entry.batchId))]
    for (const batchId of versions) if (await this.#tryLoad(batchId)) return
    const misfit = versions.find(batchId => this.#misfits.has(batchId))
    this.#session = misfit === undefined ? undefined : this.#misfits.get(misfit)
  }

  /** What served until now may have been yanked because of what the current version was to replace. */
  async #isYanked(session: ModelSession | undefined): Promise<boolean> {
    if (session === undefined) return false
    const { registry, name, onProblem } = this.#options
    try {
      await registry.refuseYanked(name, session.batchId)
      return false
    } catch (error) {
      onProblem(error, session.batchId)
      if (!isOfVersion(error)) return false
      this.#bad.add(session.batchId)
      return true
    }
  }

  /** A version that is bad is remembered and said to be; one that cannot be fetched now is asked for again later. */
  async #tryLoad(batchId: string): Promise<boolean> {
    if (this.#bad.has(batchId)) return false
    const { registry, name, stage, openSession, misfit, onProblem } = this.#options
    try {
      await registry.refuseYanked(name, batchId)
      const artifact = await registry.artifact(name, batchId, stage)
      const why = misfit?.(artifact.manifest)
      if (why !== undefined) {
        this.#misfits.set(batchId, waitingSession(artifact.manifest, batchId))
        throw notReady(artifact.manifest, batchId, why)
      }
      this.#session = await openSession(artifact, batchId)
      return true
    } catch (error) {
      if (isOfVersion(error)) this.#bad.add(batchId)
      else if (this.#session === undefined) throw error
      onProblem(error, batchId)
      return false
    }
  }
}

/** Papers alone: who asks holds them against the same definitions, and never runs it. */
function waitingSession(manifest: ArtifactManifest, batchId: string): ModelSession {
  const run: ModelSession['run'] = () => Promise.reject(notReady(manifest, batchId, 'it is not run'))
  return { name: manifest.name, batchId, manifest, run }
}

function notReady({ name }: ArtifactManifest, batchId: string, why: string): ModelError {
  return new ModelError(`${name} ${batchId} does not fit the definitions: ${why}`, {
    code: 'model-not-ready',
    next: 'Train it on these definitions; until then the newest version that fits serves.',
  })
}

const DAMAGE: ReadonlySet<string> = new Set([
  'batch-damaged',
  'batch-cold',
  'batch-not-found',
  'batch-yanked',
  'manifest-invalid',
])

/** Whether the version itself is bad; a store that is down or says no would say the same of any version. */
export function isOfVersion(error: unknown): boolean {
  return error instanceof ModelError || (error instanceof CatalogError && DAMAGE.has(error.code))
}
