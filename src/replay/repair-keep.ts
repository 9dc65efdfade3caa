// The bytes of a corrupt item, kept in the archive before they are overwritten: a repair destroys nothing. The object is at the same
// time the audit line: who, when, what was wrong, what takes its place. Its name has no user in it.
import { toRfc3339 } from '../platform/clock.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { salvageItem } from '../store/salvage-item.ts'
import type { CorruptItem, StoredItem } from '../store/user-item.ts'

export const CORRUPT_PREFIX = 'corrupt/'

export interface KeptItem {
  readonly corrupt: StoredItem | CorruptItem
  readonly problem: string
  readonly who: string
  readonly atMs: number
  /** Of the item that is put in its place. */
  readonly version: number
}

/** The key. An item that was kept before, by a run that died, is found by its content. Throws ObjectStoreError. */
export async function keepCorrupt(
  archive: ObjectStore,
  { corrupt, problem, who, atMs, version }: KeptItem,
): Promise<string> {
  const item = JSON.stringify(jsonForm(salvageItem(corrupt).attributes))
  const key = `${CORRUPT_PREFIX}${sha256Hex(item)}.json`
  const head = JSON.stringify({ who, at: toRfc3339(atMs), problem, version })
  // Put together as text, so that the hash in the name is of the very bytes in the object.
  const body = `${head.slice(0, -1)},"item":${item}}\n`
  await archive.create(key, Buffer.from(body), { contentType: 'application/json' })
  return key
}

/** With bytes as base64 and names in order: as `aws dynamodb put-item --item` takes it. */
function jsonForm(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(jsonForm)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, member]) => [name, jsonForm(member)]))
}
