// A bucket with versions, in memory: what is removed is hidden and stays, until somebody ends it.
import type { ObjectEnder, ObjectRemover } from '../../src/platform/object-store.ts'
import { type MemoryObjectStore, type MemoryObjectStoreOptions, memoryObjectStore } from './memory-object-store.ts'

export interface VersionedObjects {
  readonly store: MemoryObjectStore
  /** By key, what nobody sees any more. */
  readonly hidden: Map<string, Uint8Array[]>
  readonly remover: ObjectRemover
  readonly ender: ObjectEnder
}

/** `fault` throws to make a call fail, before it has done anything or after. */
export function versionedObjects(
  options: MemoryObjectStoreOptions,
  fault: (operation?: string) => void,
): VersionedObjects {
  const store = memoryObjectStore({ ...options, fault: () => fault() })
  const hidden = new Map<string, Uint8Array[]>()
  const endOne = (key: string): number => {
    const bodies = [...(hidden.get(key) ?? []), ...[store.objects.get(key) ?? []].flat()]
    hidden.delete(key)
    store.objects.delete(key)
    return bodies.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }
  const endAll = (keys: Iterable<string>) => {
    fault('end')
    const all = [...new Set(keys)]
    const bytes = all.map(endOne).reduce((sum, each) => sum + each, 0)
    fault()
    return { objects: all.length, bytes }
  }
  return {
    store,
    hidden,
    remover: {
      remove: async key => {
        const body = store.objects.get(key)
        if (body !== undefined) hidden.set(key, [...(hidden.get(key) ?? []), body])
        store.objects.delete(key)
      },
    },
    ender: {
      end: async key => endAll(store.objects.has(key) || hidden.has(key) ? [key] : []),
      endBelow: async (prefix, isOwn) =>
        endAll([...store.objects.keys(), ...hidden.keys()].filter(key => key.startsWith(prefix) && isOwn(key))),
    },
  }
}
