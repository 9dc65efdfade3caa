// Names in the catalogue become parts of sort keys and of object names, so an allow-list decides what they are made of.
// Databases and tables are in lower case because Athena and the Glue catalogue fold names to it.
import { CatalogError } from './errors.ts'

export interface TableRef {
  readonly db: string
  readonly table: string
}

export interface PartitionRef extends TableRef {
  readonly partition: string
}

const DB_OR_TABLE = /^[a-z][a-z0-9_-]{0,63}$/
/** What S3 calls safe in a key (Amazon S3 user guide, "Naming Amazon S3 objects"), with the `=` of Hive: `date=2001-06-30`. */
const PARTITION_SEGMENT = /^[A-Za-z0-9][A-Za-z0-9=_.-]{0,127}$/
/** Of one partition: `year=2026/country=de` has two. A path that people read, far below what a sort key of 1,024 bytes could take. */
const PARTITION_SEGMENTS_MAX = 8
const PARTITION_BYTES_MAX = 256

/** `db.table`, the catalogue's key. Throws CatalogError. */
export function tableKey({ db, table }: TableRef): string {
  check('database', db, DB_OR_TABLE, 'small letters, digits, - and _, a letter first, at most 64')
  check('table', table, DB_OR_TABLE, 'small letters, digits, - and _, a letter first, at most 64')
  return `${db}.${table}`
}

/** One segment for each partition key of its table, a slash between: a `/` cannot be in a value. Throws CatalogError. */
export function checkPartition({ partition }: PartitionRef): string {
  const segments = partition.split('/')
  if (segments.length > PARTITION_SEGMENTS_MAX || partition.length > PARTITION_BYTES_MAX) {
    throw new CatalogError(`${JSON.stringify(partition)} is too long for the name of a partition`, {
      code: 'name-invalid',
      next: `Use at most ${PARTITION_SEGMENTS_MAX} partition keys and ${PARTITION_BYTES_MAX} characters.`,
    })
  }
  for (const segment of segments) {
    const allowed = 'letters, digits, =, _, . and -, a letter or digit first, at most 128'
    check('partition', segment, PARTITION_SEGMENT, allowed)
  }
  return partition
}

/** Reads `db.table` as people write it. Throws CatalogError. */
export function parseTableName(text: string): TableRef {
  const [db, table, ...more] = text.split('.')
  if (db === undefined || table === undefined || more.length > 0) {
    throw new CatalogError(`"${text}" is not a table`, {
      code: 'name-invalid',
      next: 'Write database and table with one dot between: models.churn.',
    })
  }
  const ref = { db, table }
  tableKey(ref)
  return ref
}

function check(what: string, name: string, pattern: RegExp, allowed: string): void {
  if (pattern.test(name)) return
  throw new CatalogError(`${JSON.stringify(name)} cannot be the name of a ${what}`, {
    code: 'name-invalid',
    next: `Use ${allowed} characters.`,
  })
}
