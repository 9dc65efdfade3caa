// Where things are: the catalogue's sort keys and the object names of a batch. Written down once, for every language that
// reads them. The parts of a key cannot contain `#`, so a prefix never matches a neighbour.
import { isBatchId } from './batch-id.ts'
import { CatalogError } from './errors.ts'
import type { PartitionRef } from './names.ts'

export const SCHEMA_PREFIX = 'schema'

const LOG_NUMBER_DIGITS = 9
const LOG_NUMBER_MAX = 10 ** LOG_NUMBER_DIGITS - 1

export function batchSortKey(partition: string, batchId: string): string {
  return `${batchesPrefix(partition)}${batchId}`
}

/** Of all batches of the partition, in the order in which they were begun. */
export function batchesPrefix(partition: string): string {
  return `${BATCHES_PREFIX}${partition}#`
}

export const BATCHES_PREFIX = 'batch#'

/** The partition of a batch item's sort key. */
export function partitionOfBatch(sortKey: string): string {
  return sortKey.slice(BATCHES_PREFIX.length, sortKey.lastIndexOf('#'))
}

export const RETENTIONS_PREFIX = 'retention#'

/** Of the table; the highest is in force. */
export function retentionSortKey(number: number): string {
  return `${RETENTIONS_PREFIX}${String(number).padStart(LOG_NUMBER_DIGITS, '0')}`
}

export const YANKS_PREFIX = 'yank#'

/** Of the table, not of a partition: a batch that must not be used must not be used anywhere. */
export function yankSortKey(batchId: string): string {
  return `${YANKS_PREFIX}${batchId}`
}

/** The key is free text, so its hash stands for it. */
export function claimSortKey(partition: string, keySha256: string): string {
  return `claim#${partition}#${keySha256}`
}

export function logPrefix(partition: string): string {
  return `log#${partition}#`
}

/** Nine digits, so that text order is number order and the highest is found by one query. */
export function logSortKey(partition: string, number: number): string {
  if (!Number.isInteger(number) || number < 1 || number > LOG_NUMBER_MAX) {
    throw new CatalogError(`${number} cannot be the number of a log entry`, { code: 'log-number-invalid', partition })
  }
  return `${logPrefix(partition)}${String(number).padStart(LOG_NUMBER_DIGITS, '0')}`
}

/** The first schema of a table is `schema`; a `#` sorts after it, so the highest number is the last of the prefix. */
export function schemaSortKey(number: number): string {
  return number === 1 ? SCHEMA_PREFIX : `${SCHEMA_PREFIX}#${String(number).padStart(LOG_NUMBER_DIGITS, '0')}`
}

export function schemaNumberOf(sortKey: string): number {
  return sortKey === SCHEMA_PREFIX ? 1 : Number(sortKey.slice(SCHEMA_PREFIX.length + 1))
}

/** The number in a log entry's sort key, or undefined where it is none. */
export function logNumberOf(partition: string, sortKey: string): number | undefined {
  const prefix = logPrefix(partition)
  const digits = sortKey.slice(prefix.length)
  return sortKey.startsWith(prefix) && /^\d{9}$/.test(digits) ? Number(digits) : undefined
}

export const LOGS_PREFIX = 'log#'

/** The partition of a log entry's sort key. */
export function partitionOfLog(sortKey: string): string {
  return sortKey.slice(LOGS_PREFIX.length, sortKey.lastIndexOf('#'))
}

/** Prefix of everything that belongs to a batch, with the slash: `shop/users/date=2001-06-30/20010630175959-7h3k9c2m/`. */
export function batchLocation({ db, table, partition }: PartitionRef, batchId: string): string {
  return `${db}/${table}/${partition}/${batchId}/`
}

export interface BatchPlace extends PartitionRef {
  readonly batchId: string
}

/**
 * The batch whose location this is, or undefined where it is none; the partition is the one that it was stored in. Read from the end, as
 * a segment of a partition may look like a batch ID.
 */
export function placeOfLocation(location: string): BatchPlace | undefined {
  const [db, table, ...segments] = location.split('/')
  const [end, batchId] = [segments.pop(), segments.pop()]
  const isPlace = end === '' && segments.length > 0 && batchId !== undefined && isBatchId(batchId)
  if (!isPlace || db === undefined || table === undefined) return undefined
  return { db, table, partition: segments.join('/'), batchId }
}

export const MANIFEST_NAME = 'manifest.json'

const PART_NAME = /^part-[a-z0-9-]{1,40}$/

/** `part-00017.parquet`; without a name of its own a part is called by its place. Throws CatalogError. */
export function partFileName(name: string | undefined, index: number, format: string): string {
  const stem = name ?? `part-${String(index).padStart(5, '0')}`
  if (!PART_NAME.test(stem)) throw partNameInvalid(`"${stem}" cannot be the name of a part`)
  return `${stem}.${format}`
}

/** Of parts that others say they have written: a name with a slash is in another place. Throws CatalogError `part-name-invalid`. */
export function checkPartNames(
  parts: readonly { readonly name: string }[],
  { format }: { readonly format: string },
): void {
  const end = `.${format}`
  const names = new Set<string>()
  for (const { name } of parts) {
    if (!name.endsWith(end) || !PART_NAME.test(name.slice(0, -end.length))) {
      throw partNameInvalid(`${JSON.stringify(name)} cannot be the name of a part in ${format}`)
    }
    if (names.has(name)) throw partNameInvalid(`The part ${name} came twice`)
    names.add(name)
  }
}

function partNameInvalid(what: string): CatalogError {
  return new CatalogError(what, {
    code: 'part-name-invalid',
    next: 'Write part- and small letters, digits and -, then the format, each name once.',
  })
}
