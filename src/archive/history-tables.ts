// Where history lies in the catalogue: compacted hours of the stream in one table, imports in another, the parts of both named by
// the bucket of their users, so that whoever wants some users reads a 64th of it.
import type { Manifest } from '../catalog/manifest.ts'
import { MillraceError } from '../platform/errors.ts'
import { USER_BUCKETS } from '../platform/hash.ts'

export const HISTORY_FORMAT = 'ndjson.gz'

/** One partition an arrival hour. */
export const EVENTS_TABLE = 'events'
/** One partition an import. */
export const IMPORTS_TABLE = 'imported_events'

/** `hour=2026-01-02T12` of the `2026010212` in a raw object's name. */
export function hourPartition(hour: string): string {
  return `hour=${hour.slice(0, 4)}-${hour.slice(4, 6)}-${hour.slice(6, 8)}T${hour.slice(8)}`
}

export function hourOfPartition(partition: string): string {
  return partition.replace(/\D/g, '')
}

const IMPORT_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/

/** Throws MillraceError `import-name-invalid`. */
export function importPartition(name: string): string {
  if (IMPORT_NAME.test(name)) return `import=${name}`
  throw new MillraceError(`"${name}" cannot be the name of an import`, {
    code: 'import-name-invalid',
    next: 'Use letters, digits, _, . and -, a letter or digit first, at most 100.',
  })
}

/**
 * What items say that they contain: the batch that brought the import, or, where that was written anew without somebody, the one that it
 * took the place of.
 */
export function importIdOf({ batchId, properties }: Pick<Manifest, 'batchId' | 'properties'>): string {
  const importOf = properties?.[IMPORT_OF]
  return typeof importOf === 'string' ? importOf : batchId
}

/** The property of a batch of events that says so. */
export const IMPORT_OF = 'importOf'

/** `part-07-0000`. */
export function bucketPartName(bucket: number, number: number): string {
  return `part-${String(bucket).padStart(2, '0')}-${padded(number)}`
}

/** Of lines that no contract took when they came, so that nobody knows their bucket. */
export function refusedPartName(number: number): string {
  return `part-refused-${padded(number)}`
}

/** Undefined where it may hold users of any bucket. */
export function bucketOfPart(fileName: string): number | undefined {
  const bucket = Number(/^part-(\d\d)-\d{4,}\./.exec(fileName)?.[1])
  return bucket < USER_BUCKETS ? bucket : undefined
}

function padded(number: number): string {
  return String(number).padStart(4, '0')
}
