// An object store in memory that does what S3 does and emulators do not: the second creation of a key is refused. It counts
// calls, and a hook may throw before or after any of them, as a process that dies there would.
import { byCodePoint } from '../../src/platform/canonical-json.ts'
import type { Clock } from '../../src/platform/clock.ts'
import { ObjectStoreError } from '../../src/platform/errors.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import type { CreateOptions, ObjectInfo, ObjectStore } from '../../src/platform/object-store.ts'

export interface ObjectStoreCall {
  readonly operation: 'create' | 'stat' | 'get' | 'list'
  readonly key: string
  /** `after`: the effect has happened, its answer is lost. */
  readonly when: 'before' | 'after'
}

export interface MemoryObjectStoreOptions {
  readonly pageKeysMax?: number
  /** Throws to make a call fail. */
  readonly fault?: (call: ObjectStoreCall) => void
  /** For who compares creation with time; creations are counted otherwise, as their order is all that most may rely on. */
  readonly clock?: Clock
}

export interface MemoryObjectStore extends ObjectStore {
  /** A listing counts one call a page. */
  readonly calls: { create: number; stat: number; get: number; list: number }
  /** What is stored, for tests that damage or inspect it. */
  readonly objects: Map<string, Uint8Array>
  readonly options: Map<string, CreateOptions>
}

export function memoryObjectStore({
  pageKeysMax = 1_000,
  fault,
  clock,
}: MemoryObjectStoreOptions = {}): MemoryObjectStore {
  const objects = new Map<string, Uint8Array>()
  const options = new Map<string, CreateOptions>()
  const created = new Map<string, number>()
  const calls = { create: 0, stat: 0, get: 0, list: 0 }

  /** The pause lets other callers in, as a network does; what follows it happens at once. */
  async function call<T>(operation: ObjectStoreCall['operation'], key: string, effect: () => T): Promise<T> {
    calls[operation]++
    await Promise.resolve()
    fault?.({ operation, key, when: 'before' })
    const result = effect()
    fault?.({ operation, key, when: 'after' })
    return result
  }

  async function* list(prefix: string, startAfter: string | undefined): AsyncGenerator<ObjectInfo> {
    let after = startAfter
    for (;;) {
      const page = await call('list', prefix, () =>
        [...objects]
          .filter(([key]) => key.startsWith(prefix) && (after === undefined || byCodePoint(key, after) > 0))
          .sort(([a], [b]) => byCodePoint(a, b))
          .slice(0, pageKeysMax)
          .map(([key, body]) => ({ key, bytes: body.byteLength, createdMs: created.get(key) ?? 0 })),
      )
      yield* page
      if (page.length < pageKeysMax) return
      after = page.at(-1)?.key
    }
  }

  return {
    calls,
    objects,
    options,
    create: (key, body, createOptions) =>
      call('create', key, () => {
        if (objects.has(key)) return 'exists'
        if (createOptions?.sha256 !== undefined && createOptions.sha256 !== sha256Hex(body)) throw badDigest(key)
        objects.set(key, body.slice())
        options.set(key, createOptions ?? {})
        created.set(key, clock?.() ?? created.size + 1)
        return 'created'
      }),
    stat: key =>
      call('stat', key, () => {
        const body = objects.get(key)
        if (body === undefined) return undefined
        const { sha256, metadata = {} } = options.get(key) ?? {}
        // Of what is there now: who overwrites an object in S3 brings another checksum.
        return { bytes: body.byteLength, sha256: sha256 === undefined ? undefined : sha256Hex(body), metadata }
      }),
    get: key => call('get', key, () => objects.get(key)?.slice()),
    list: (prefix, listOptions) => list(prefix, listOptions?.startAfter),
  }
}

/** S3 refuses a body that is not of the checksum that came with it. */
function badDigest(key: string): ObjectStoreError {
  return new ObjectStoreError(`Could not write ${key}: 400 BadDigest`, { code: 'object-store-failed', key })
}
