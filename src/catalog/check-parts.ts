// That the parts of a batch are stored as its manifest will say, looked at right before the commit: a part that is missing, torn or of
// another writer must not become visible. One HEAD a part answers it: S3 has checked the body against the SHA-256 that came with it, and
// keeps that and the number of rows beside the object. Only a part that somebody else wrote without them is read, every value of it.
import { mapAhead, mapWithLimit } from '../platform/concurrency.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { CatalogError } from './errors.ts'
import { MANIFEST_NAME } from './layout.ts'
import type { Column } from './columns.ts'
import type { ManifestPart } from './manifest.ts'
import { countParquetRows } from './parquet-part.ts'
import { parquetRowCount } from './parquet-row-count.ts'
import { PARQUET_LIMITS, ReadBudget, TEXT_LIMITS } from './read-budget.ts'
import { countTextRows } from './text-part.ts'

const CHECKS_MAX = 4
/** One is read while the next one comes: a part is some MB, and memory is what this bounds. */
const PARTS_AHEAD = 2
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

/** Throws CatalogError `part-differs`, `part-too-big`. */
export async function checkParts(
  objects: ObjectStore,
  place: PartsPlace,
  parts: readonly ManifestPart[],
): Promise<void> {
  const looked = await mapWithLimit(parts, CHECKS_MAX, part => isKnownPart(objects, place, part))
  const unknown = parts.filter((_, index) => looked[index] === false)
  const budget = new ReadBudget(place.format === COUNTED_FORMAT ? PARQUET_LIMITS : TEXT_LIMITS)
  const get = async (part: ManifestPart) => ({ part, body: await objects.get(`${place.location}${part.name}`) })
  for await (const { part, body } of mapAhead(unknown, PARTS_AHEAD, get)) {
    const key = `${place.location}${part.name}`
    if (body === undefined) throw partDiffers(key, 'it is not there', place.batchId)
    refuseOthers(key, place, part, { bytes: body.byteLength, sha256: sha256Hex(body) })
    refuseOthers(key, place, part, { rows: await readRows(key, place, { part, body, budget }) })
  }
}

/** False: it has to be read. */
async function isKnownPart(objects: ObjectStore, place: PartsPlace, part: ManifestPart): Promise<boolean> {
  const key = `${place.location}${part.name}`
  const stat = await objects.stat(key)
  if (stat === undefined) throw partDiffers(key, 'it is not there', place.batchId)
  const { bytes, sha256 } = stat
  const rows = stat.metadata[ROWS] === undefined ? undefined : Number(stat.metadata[ROWS])
  refuseOthers(key, place, part, { bytes, sha256, rows })
  return sha256 !== undefined && (rows !== undefined || !hasRows(place))
}

type Found = { readonly [Member in 'bytes' | 'sha256' | 'rows']?: ManifestPart[Member] | undefined }

function refuseOthers(key: string, { batchId }: PartsPlace, part: ManifestPart, found: Found): void {
  const differing = (['bytes', 'sha256', 'rows'] as const).find(
    member => found[member] !== undefined && found[member] !== part[member],
  )
  if (differing === undefined) return
  throw partDiffers(key, `${differing} ${found[differing]} instead of ${part[differing]}`, batchId)
}

/** Text of a table without columns is nobody's rows. */
function hasRows({ format, columns = [] }: PartsPlace): boolean {
  return format === COUNTED_FORMAT || (columns.length > 0 && (format === 'ndjson.gz' || format === 'csv.gz'))
}

interface PartToRead {
  readonly part: ManifestPart
  readonly body: Uint8Array
  readonly budget: ReadBudget
}

/** Undefined: it is of no rows. */
async function readRows(
  key: string,
  place: PartsPlace,
  { part, body, budget }: PartToRead,
): Promise<number | undefined> {
  const { format, columns = [], batchId } = place
  if (!hasRows(place)) return undefined
  try {
    if (format === COUNTED_FORMAT) return await countParquetRows({ columns, body, budget })
    budget.spendValues(part.rows * columns.length)
    return await countTextRows({
      format: format === 'csv.gz' ? format : 'ndjson.gz',
      columns,
      body,
      whenInflated: bytes => budget.spendBytes(bytes),
      whenRow: rows => {
        if (rows > part.rows) throw partDiffers(key, `it has more rows than ${part.rows}`, batchId)
      },
    })
  } catch (error) {
    throw ofPart(error, key, batchId)
  }
}

/** What its reader has to say of it, with where it is. */
function ofPart(error: unknown, key: string, batchId: string): unknown {
  if (!(error instanceof CatalogError) || error.batchId !== undefined) return error
  const { code, message, next, cause } = error
  if (code === 'part-differs') return partDiffers(key, `${message.charAt(0).toLowerCase()}${message.slice(1)}`, batchId)
  return new CatalogError(`${key}: ${message}`, { code, batchId, cause, ...(next === undefined ? {} : { next }) })
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
