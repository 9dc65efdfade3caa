// The objects of a batch's parts, created if absent. One that is there already is taken where it has the same bytes.
import { mapPulled } from '../platform/concurrency.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { CreateOptions, ObjectStore } from '../platform/object-store.ts'
import { checkRows, partMetadata, type PartsPlace, refuseOtherObjects } from './check-parts.ts'
import { CatalogError } from './errors.ts'
import { MANIFEST_NAME, partFileName } from './layout.ts'
import { decodeManifest, type ManifestPart } from './manifest.ts'

export interface PartInput {
  /** `part-00017`; without it the part is called by its place. */
  readonly name?: string
  readonly body: Uint8Array
  readonly rows: number
}

/** Pulled as they are uploaded, so that a large batch is never in memory as a whole. */
export type Parts = Iterable<PartInput> | AsyncIterable<PartInput>

/** Uploads in flight: a part is some MB, and memory is what this bounds. */
const UPLOADS_MAX = 4

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  parquet: 'application/vnd.apache.parquet',
  zip: 'application/zip',
  'ndjson.gz': 'application/gzip',
  'csv.gz': 'application/gzip',
}

export function uploadParts(objects: ObjectStore, place: PartsPlace, parts: Parts): Promise<ManifestPart[]> {
  return upload(objects, place, { parts, atOnce: UPLOADS_MAX })
}

/**
 * Of a batch that somebody may have begun: one part after another, so that the first that is another one stops it with nothing of it
 * written; whoever has the right ones can then still end it.
 */
export async function endParts(objects: ObjectStore, place: PartsPlace, parts: Parts): Promise<ManifestPart[]> {
  const manifestKey = `${place.location}${MANIFEST_NAME}`
  const manifest = await objects.get(manifestKey)
  const expected = manifest && decodeManifest(manifest, manifestKey).parts
  const written = await upload(objects, place, { parts, atOnce: 1, expected })
  await refuseOtherObjects(objects, place, written)
  return written
}

/** Of a part's object, by the format of its table. */
export function contentTypeOf(format: string): string {
  return CONTENT_TYPES[format] ?? 'application/octet-stream'
}

interface Upload {
  readonly parts: Parts
  readonly atOnce: number
  /** Where the manifest says already which there are. */
  readonly expected?: readonly ManifestPart[] | undefined
}

async function upload(
  objects: ObjectStore,
  place: PartsPlace,
  { parts, atOnce, expected }: Upload,
): Promise<ManifestPart[]> {
  const { location, format } = place
  const names = new Set<string>()
  const contentType = contentTypeOf(format)
  return mapPulled(parts, atOnce, async ({ name: stem, body, rows }, index) => {
    const name = partFileName(stem, index, format)
    if (names.has(name)) throw new CatalogError(`The part ${name} came twice`, { code: 'part-name-invalid' })
    names.add(name)
    const key = `${location}${name}`
    checkRows(key, place, { body, rows })
    const sha256 = sha256Hex(body)
    if (expected !== undefined && expected[index]?.sha256 !== sha256) throw batchExists(key)
    await createOwn(objects, key, body, { contentType, sha256, metadata: partMetadata(rows) })
    return { name, bytes: body.byteLength, rows, sha256 }
  })
}

/** An object that exists already may be this very write, repeated by the client after a lost answer: the bytes tell. */
async function createOwn(objects: ObjectStore, key: string, body: Uint8Array, options: CreateOptions): Promise<void> {
  if ((await objects.create(key, body, options)) === 'created') return
  const existing = await objects.get(key)
  if (existing === undefined || !Buffer.from(existing).equals(body)) throw batchExists(key)
}

export function batchExists(key: string): CatalogError {
  return new CatalogError(`${key} was written by somebody else`, {
    code: 'batch-exists',
    next: 'Store again without a batch ID of your own.',
  })
}
