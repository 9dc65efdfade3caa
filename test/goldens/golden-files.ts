// A release's stored bytes on disk: `RELEASE/stored` is two buckets and two tables as they were written, `RELEASE/plain` what they mean.
// Binary attributes are base64; objects are files of their keys.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { byCodePoint } from '../../src/platform/canonical-json.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import type { Attributes } from '../../src/store/dynamodb-attributes.ts'
import type { CatalogAttributes } from './memory-catalog-table.ts'

export const GOLDENS = import.meta.dirname
/** Present from the release on: SHA-256 of every stored file, by path. */
export const RELEASED_FILE = 'released.golden.json'
const STORED = 'stored'

export interface StoredWorld {
  readonly archive: ReadonlyMap<string, Uint8Array>
  readonly catalogBucket: ReadonlyMap<string, Uint8Array>
  readonly catalogItems: readonly CatalogAttributes[]
  readonly userItems: readonly Attributes[]
}

export function releases(): readonly string[] {
  const folders = readdirSync(GOLDENS, { withFileTypes: true }).filter(entry => entry.isDirectory())
  return folders.map(({ name }) => name).sort()
}

export function readStored(release: string): StoredWorld {
  const folder = join(GOLDENS, release, STORED)
  return {
    archive: readObjects(join(folder, 'archive')),
    catalogBucket: readObjects(join(folder, 'catalog')),
    catalogItems: readItems(join(folder, 'catalog-items.golden.json')),
    userItems: readItems(join(folder, 'user-items.golden.json')),
  }
}

export function writeStored(release: string, world: StoredWorld): void {
  const folder = join(GOLDENS, release, STORED)
  writeObjects(join(folder, 'archive'), world.archive)
  writeObjects(join(folder, 'catalog'), world.catalogBucket)
  writeJson(join(folder, 'catalog-items.golden.json'), world.catalogItems)
  writeJson(join(folder, 'user-items.golden.json'), world.userItems)
}

export function plainFile(release: string, name: string): string {
  return join(GOLDENS, release, 'plain', `${name}.golden.json`)
}

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** Binary as `{ "$base64": … }`. */
export function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(value, packBinary, 1)}\n`)
}

/** SHA-256 of every stored file, by path under `stored`. */
export function storedHashes(release: string): Readonly<Record<string, string>> {
  const folder = join(GOLDENS, release, STORED)
  return Object.fromEntries(filesIn(folder).map(name => [name, sha256Hex(readFileSync(join(folder, name)))]))
}

function readItems<Item>(path: string): readonly Item[] {
  return JSON.parse(readFileSync(path, 'utf8'), unpackBinary) as Item[]
}

function packBinary(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? { $base64: Buffer.from(value).toString('base64') } : value
}

function unpackBinary(_: string, value: unknown): unknown {
  const text = typeof value === 'object' && value !== null && '$base64' in value ? value.$base64 : undefined
  return typeof text === 'string' ? Uint8Array.from(Buffer.from(text, 'base64')) : value
}

function readObjects(folder: string): ReadonlyMap<string, Uint8Array> {
  return new Map(filesIn(folder).map(name => [name, Uint8Array.from(readFileSync(join(folder, name)))]))
}

function writeObjects(folder: string, objects: ReadonlyMap<string, Uint8Array>): void {
  for (const [key, body] of objects) {
    mkdirSync(dirname(join(folder, key)), { recursive: true })
    writeFileSync(join(folder, key), body)
  }
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort(byCodePoint)
}
