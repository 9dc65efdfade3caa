// That the parts of a batch are stored as its manifest will say, looked at right before the commit: a part that is missing, torn or of
// another writer must not become visible. One HEAD a part answers it: S3 has checked the body against the SHA-256 that came with it, and
// keeps that and the number of rows beside the object. Only a part that somebody else wrote without them is read.
import { mapWithLimit } from '../platform/concurrency.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { CatalogError } from './errors.ts'
import { MANIFEST_NAME } from './layout.ts'
import type { Column } from './columns.ts'
import type { ManifestPart } from './manifest.ts'
import { parquetColumnNames, parquetRowCount } from './parquet-row-count.ts'

/** A part that is read is some MB, and memory is what this bounds. */
const CHECKS_MAX = 4
/** Others have no count of their own: their readers count while they read. */
const COUNTED_FORMAT = 'parquet'
/** Of an object's metadata. */
const ROWS = 'rows'

export interface PartsPlace {
  readonly batchId: string
  /** Prefix of its objects, with the slash. */
  readonly location: string
  readonly format: string
  /** That the manifest will name: who reads a part asks it for all of them. */
  readonly columns?: readonly Column[]
}

/** What to keep beside a part, so that nobody has to read it to check it. */
export function partMetadata(rows: number): Readonly<Record<string, string>> {
  return { [ROWS]: String(rows) }
}

/** Throws CatalogError `part-differs`. */
export async function checkParts(
  objects: ObjectStore,
  place: PartsPlace,
  parts: readonly ManifestPart[],
): Promise<void> {
  await mapWithLimit(parts, CHECKS_MAX, part => checkPart(objects, place, part))
}

async function checkPart(objects: ObjectStore, place: PartsPlace, part: ManifestPart): Promise<void> {
  const key = `${place.location}${part.name}`
  const stat = await objects.stat(key)
  if (stat === undefined) throw partDiffers(key, 'it is not there', place.batchId)
  const { bytes } = stat
  const rows = stat.metadata[ROWS] === undefined ? undefined : Number(stat.metadata[ROWS])
  const isCounted = rows !== undefined || place.format !== COUNTED_FORMAT
  const isKnown = bytes !== part.bytes || (stat.sha256 !== undefined && isCounted)
  const found = isKnown ? { bytes, rows, sha256: stat.sha256 } : await readPart(objects, key, place)
  const differing = (['bytes', 'sha256', 'rows'] as const).find(
    member => found[member] !== undefined && found[member] !== part[member],
  )
  if (differing === undefined) return
  throw partDiffers(key, `${differing} ${found[differing]} instead of ${part[differing]}`, place.batchId)
}

async function readPart(objects: ObjectStore, key: string, { batchId, format, columns = [] }: PartsPlace) {
  const body = await objects.get(key)
  if (body === undefined) throw partDiffers(key, 'it is not there', batchId)
  const rows = countRows(format, body)
  if (typeof rows === 'number') {
    // The table may have got a column since the part was written.
    const names = new Set(parquetColumnNames(body))
    const lacking = columns.find(({ name }) => !names.has(name))
    if (lacking !== undefined) throw partDiffers(key, `the column "${lacking.name}" is not in it`, batchId)
  }
  return { bytes: body.byteLength, sha256: sha256Hex(body), rows }
}

function countRows(format: string, body: Uint8Array): number | 'unknown' | undefined {
  return format === COUNTED_FORMAT ? (parquetRowCount(body) ?? 'unknown') : undefined
}

/**
 * That nothing else is where the parts are: who reads a folder would read it too. Only a batch that was begun before can have something
 * there. Throws CatalogError `batch-exists`.
 */
export async function refuseOtherObjects(
  objects: ObjectStore,
  { batchId, location }: PartsPlace,
  parts: readonly ManifestPart[],
): Promise<void> {
  const expected = new Set([MANIFEST_NAME, ...parts.map(part => part.name)].map(name => `${location}${name}`))
  for await (const { key } of objects.list(location)) {
    if (expected.has(key)) continue
    throw new CatalogError(`${key} is none of the parts of ${batchId}: they were others when it was begun`, {
      code: 'batch-exists',
      next: 'Store again without a batch ID of your own.',
      batchId,
    })
  }
}

/** Of a body before it is written. Throws CatalogError `part-differs`. */
export function checkRows(
  key: string,
  { format, batchId }: Omit<PartsPlace, 'location'>,
  { body, rows }: { readonly body: Uint8Array; readonly rows: number },
): void {
  const found = countRows(format, body) ?? rows
  if (found !== rows) throw partDiffers(key, `rows ${found} instead of ${rows}`, batchId)
}

function partDiffers(key: string, what: string, batchId: string): CatalogError {
  return new CatalogError(`${key} is not as its writer said: ${what}`, {
    code: 'part-differs',
    next: 'Nothing was committed. Store the batch again, without a batch ID of your own.',
    batchId,
  })
}
