// Looks for a user in bytes of whatever kind: as they are, inflated, as Parquet, and in base64, as deep as one lies in the other.
import { gunzipSync, inflateSync } from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { sha256Hex } from '../../src/platform/hash.ts'
import type { ForgetWorld } from './forget-world.ts'

const DEPTH_MAX = 6
const BASE64 = /[A-Za-z0-9+/]{12,}={0,2}/g

/** Keys of objects, hidden ones too, and of items of both tables, that have the id or its SHA-256 anywhere. */
export async function findUser(world: ForgetWorld, userId: string): Promise<readonly string[]> {
  const found: string[] = []
  const look = async (name: string, bytes: Uint8Array): Promise<void> => {
    if (has(Buffer.from(name), userId) || (await hasAnywhere(bytes, userId))) found.push(name)
  }
  for (const bucket of [world.archive, world.objects]) {
    for (const [key, body] of bucket.store.objects) await look(key, body)
    for (const [key, bodies] of bucket.hidden) for (const body of bodies) await look(`${key} (hidden)`, body)
  }
  for (const [key, item] of world.store.items) await look(key, Buffer.from(JSON.stringify(item)))
  for (const item of world.users.items()) {
    for (const [name, value] of Object.entries(world.users.raw(item.userId) ?? {})) {
      const { B, ...plain } = value as { readonly B?: Uint8Array }
      await look(`${item.userId} ${name}`, B ?? Buffer.from(JSON.stringify(plain)))
    }
  }
  return found
}

/** What was looked at before and is still the same object of memory. */
const known = new WeakMap<Uint8Array, boolean>()

export async function hasAnywhere(bytes: Uint8Array, userId: string): Promise<boolean> {
  const has = known.get(bytes) ?? (await hasDeep(bytes, userId, 0))
  known.set(bytes, has)
  return has
}

async function hasDeep(bytes: Uint8Array, userId: string, depth: number): Promise<boolean> {
  if (has(bytes, userId)) return true
  if (depth >= DEPTH_MAX) return false
  for (const inner of await insidesOf(bytes)) if (await hasDeep(inner, userId, depth + 1)) return true
  return false
}

/** A longer id that has this one in it is another user. */
function has(bytes: Uint8Array, userId: string): boolean {
  const text = Buffer.from(bytes).toString('latin1')
  if (text.includes(sha256Hex(userId))) return true
  for (let at = text.indexOf(userId); at >= 0; at = text.indexOf(userId, at + 1)) {
    if (!/[A-Za-z0-9.]/.test(text[at + userId.length] ?? '')) return true
  }
  return false
}

async function insidesOf(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
  const buffer = Buffer.from(bytes)
  if (buffer[0] === 0x1f && buffer[1] === 0x8b) return [gunzipSync(buffer)]
  if (buffer[0] === 0x78) return tried(() => inflateSync(buffer))
  if (buffer.subarray(0, 4).toString() === 'PAR1') {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    const rows = await parquetReadObjects({ file, compressors })
    return [
      Buffer.from(JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : (value as unknown)))),
    ]
  }
  const text = buffer.toString('latin1')
  if (!/^[\t\n\r -~]*$/.test(text.slice(0, 200))) return []
  return [...text.matchAll(BASE64)].map(([token]) => Buffer.from(token, 'base64')).filter(inner => inner.length > 8)
}

function tried(inflate: () => Uint8Array): readonly Uint8Array[] {
  try {
    return [inflate()]
  } catch {
    return []
  }
}
