// Which objects there are, found by listing: no index that could fall behind.
import type { ObjectInfo, ObjectStore } from '../platform/object-store.ts'
import { ArchiveError } from './errors.ts'
import { unpackLines, type LineReader } from './line-file.ts'
import { type NamedObject, type ObjectKind, parseObjectName, type Shard, shardPrefix } from './object-name.ts'

/** After every key that begins with the prefix, as names are ASCII. */
const AFTER_ALL = '~'

/** The shards that have objects of this kind: one listing call each, however many objects they have. */
export async function* listShards(objects: ObjectStore, kind: ObjectKind): AsyncGenerator<Shard> {
  let found = await firstOf(objects.list(`${kind}/`))
  while (found !== undefined) {
    const { stream, shard } = parseObjectName(found)
    yield { stream, shard }
    found = await firstOf(objects.list(`${kind}/`, { startAfter: shardPrefix(kind, { stream, shard }) + AFTER_ALL }))
  }
}

async function firstOf(infos: AsyncIterable<ObjectInfo>): Promise<ObjectInfo | undefined> {
  for await (const info of infos) return info
  return undefined
}

/** One shard's objects of a kind in key order, from an hour on if given. */
export async function* listObjects(
  objects: ObjectStore,
  kind: ObjectKind,
  { shard, fromHour }: { readonly shard: Shard; readonly fromHour?: string | undefined },
): AsyncGenerator<NamedObject> {
  const prefix = shardPrefix(kind, shard)
  const options = fromHour === undefined ? {} : { startAfter: prefix + fromHour }
  for await (const info of objects.list(prefix, options)) yield parseObjectName(info)
}

/** Throws ArchiveError where the object is gone or damaged. */
export async function loadLines(objects: ObjectStore, { key }: NamedObject): Promise<LineReader[]> {
  const body = await objects.get(key)
  if (body === undefined) throw new ArchiveError(key, 'was listed and is gone')
  return unpackLines(body, key)
}
