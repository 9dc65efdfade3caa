// Objects of one process, gone with it: for a snapshot that one process takes from the beginning to the end.
import { byCodePoint } from '../platform/canonical-json.ts'
import type { ObjectStore } from '../platform/object-store.ts'

export function processObjects(): ObjectStore {
  const objects = new Map<string, Uint8Array>()
  return {
    create: async (key, body) => {
      if (objects.has(key)) return 'exists'
      objects.set(key, body)
      return 'created'
    },
    stat: async key => {
      const body = objects.get(key)
      return body && { bytes: body.byteLength, sha256: undefined, metadata: {} }
    },
    get: async key => objects.get(key),
    async *list(prefix, { startAfter } = {}) {
      const keys = [...objects.keys()].filter(key => key.startsWith(prefix)).sort(byCodePoint)
      for (const key of keys) {
        if (startAfter !== undefined && byCodePoint(key, startAfter) <= 0) continue
        yield { key, bytes: objects.get(key)?.length ?? 0, createdMs: 0 }
      }
    },
  }
}
