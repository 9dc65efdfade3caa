// One version of a model, whatever is in production: for who asks what it said then.
import type { OpenSession } from './model-session.ts'
import type { ModelSource } from './model-source.ts'
import type { ModelRegistry } from './registry.ts'

export interface PinnedSourceOptions {
  readonly name: string
  /** Undefined: none was in production. */
  readonly batchId: string | undefined
  readonly registry: Pick<ModelRegistry, 'artifact'>
  readonly openSession: OpenSession
}

/** The session is opened at the first question. Throws what the registry throws, and ModelError. */
export function pinnedSource({ name, batchId, registry, openSession }: PinnedSourceOptions): ModelSource {
  let session: ReturnType<OpenSession> | undefined
  return {
    name,
    batchId: async () => batchId,
    async session() {
      if (batchId === undefined) return undefined
      session ??= registry.artifact(name, batchId).then(artifact => openSession(artifact, batchId))
      return session
    },
  }
}
