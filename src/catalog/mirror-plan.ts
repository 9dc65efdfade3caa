// What a metastore should have of a table of the catalogue, and in what it differs from what it has. Pure: names, types, places.
//
// A batch's place has manifest.json beside its parts, and a SQL engine reads every object of a location as Parquet. So the location is
// a place with one small object, the list of the batch's parts, which Athena and Trino follow (SymlinkTextInputFormat).
import { type Column, columnShape, type ColumnType, type ScalarType } from './columns.ts'
import type { BatchRecord, LogEntry, TableSchema } from './items.ts'
import { type TableRef, tableKey } from './names.ts'
import type { MirrorColumn, MirrorName, MirrorPartition, MirrorStorage, MirrorTable } from './table-mirror.ts'

/** Which catalogue is mirrored, and where. */
export interface MirrorOptions {
  /** Of every database: `shop_dev__`. */
  readonly databasePrefix: string
  /** Whose tables these are, so that two catalogues of one account never write to one table: the name of the catalogue's own table. */
  readonly catalogName: string
  readonly bucket: string
}

/** How the name of a partition becomes values: by its keys, or the whole name as the value of one. */
export interface PartitionStyle {
  readonly keys: readonly string[]
  readonly isWhole: boolean
}

export const CATALOG_PARAMETER = 'millrace.catalog'
export const TABLE_PARAMETER = 'millrace.table'
export const STYLE_PARAMETER = 'millrace.partition-values'
export const BATCH_PARAMETER = 'millrace.batch-id'
export const LOG_NUMBER_PARAMETER = 'millrace.log-number'
/** Of the parts themselves, for engines that read a path. */
export const LOCATION_PARAMETER = 'millrace.location'

/** A dot is in no name of a database, so this is beside all of them. */
export const LINKS_PREFIX = 'glue.symlinks/'
const LINKS_NAME = 'parts.txt'

const FORMATS = {
  inputFormat: 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat',
  outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
  serde: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
} as const

const TYPES: Readonly<Record<ScalarType, string>> = {
  string: 'string',
  int64: 'bigint',
  double: 'double',
  boolean: 'boolean',
  timestamp: 'timestamp',
  json: 'string',
}

/** AWS Glue API reference, "Table": a description has at most so many bytes and one line. */
const DESCRIPTION_CHARACTERS_MAX = 500

/** Engines want small letters, digits and `_`. Two names that fold to one are told apart by TABLE_PARAMETER, and the second refused. */
export function mirrorName({ databasePrefix }: Pick<MirrorOptions, 'databasePrefix'>, ref: TableRef): MirrorName {
  return { database: fold(`${databasePrefix}${ref.db}`), name: fold(ref.table) }
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')
}

/** As Hive, Athena and Spark write it. */
export function mirrorType(type: ColumnType): string {
  const shape = columnShape(type)
  if (shape === undefined) return 'string'
  const scalar = TYPES[shape.of]
  if (shape.kind === 'list') return `array<${scalar}>`
  return shape.kind === 'map' ? `map<string,${scalar}>` : scalar
}

/** The declared keys; else those that all partitions are named by (`day=…`); else the whole name as one value. */
export function partitionStyle(schema: TableSchema, partitions: readonly string[]): PartitionStyle {
  if (schema.partitionKeys !== undefined) return { keys: schema.partitionKeys, isWhole: false }
  const [first, ...others] = partitions.map(keysIn)
  const isShared = first !== undefined && others.every(keys => keys?.join('/') === first.join('/'))
  if (isShared) return { keys: first, isWhole: false }
  const taken = new Set(schema.columns.map(({ name }) => name.toLowerCase()))
  let key = 'partition'
  while (taken.has(key)) key = `${key}_name`
  return { keys: [key], isWhole: true }
}

/** Of a table that is there. */
export function styleOf({ partitionKeys, parameters }: MirrorTable): PartitionStyle {
  return { keys: partitionKeys, isWhole: parameters[STYLE_PARAMETER] === 'name' }
}

function keysIn(partition: string): readonly string[] | undefined {
  const keys = partition.split('/').map(segment => /^([a-z][a-z0-9_]{0,63})=./.exec(segment)?.[1])
  const named = keys.filter(key => key !== undefined)
  return named.length === keys.length && new Set(named).size === named.length ? named : undefined
}

/** undefined: the partition is not named by these keys. */
export function partitionValues({ keys, isWhole }: PartitionStyle, partition: string): readonly string[] | undefined {
  if (isWhole) return [partition]
  if (keysIn(partition)?.join('/') !== keys.join('/')) return undefined
  return partition.split('/').map(segment => segment.slice(segment.indexOf('=') + 1))
}

export function partitionText({ keys, isWhole }: PartitionStyle, values: readonly string[]): string {
  return isWhole ? values.join('/') : values.map((value, index) => `${keys[index] ?? '?'}=${value}`).join('/')
}

export function plannedTable(
  options: MirrorOptions,
  ref: TableRef,
  schema: TableSchema,
  style: PartitionStyle,
): MirrorTable {
  return {
    description: (schema.about ?? '').replaceAll(/\s+/g, ' ').slice(0, DESCRIPTION_CHARACTERS_MAX),
    partitionKeys: style.keys,
    storage: {
      location: `s3://${options.bucket}/${LINKS_PREFIX}${ref.db}/${ref.table}/`,
      columns: mirrorColumns(schema.columns, style.keys),
      ...FORMATS,
    },
    parameters: {
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      [CATALOG_PARAMETER]: options.catalogName,
      [TABLE_PARAMETER]: tableKey(ref),
      [STYLE_PARAMETER]: style.isWhole ? 'name' : 'keys',
    },
  }
}

/** A column that is called as a key is left to the key: no engine takes both. */
function mirrorColumns(columns: readonly Column[], keys: readonly string[]): readonly MirrorColumn[] {
  const folded = columns.map(({ name, type }) => ({ name: name.toLowerCase(), type: mirrorType(type) }))
  return folded.filter(({ name }) => !keys.includes(name))
}

/**
 * The columns are the table's, whichever the batch was written with: engines refuse a partition that differs from its table, and read
 * Parquet by name, a column that a file has not as null.
 */
export function plannedPartition(
  { bucket, catalogName }: MirrorOptions,
  table: MirrorTable,
  values: readonly string[],
  { entry, record }: { readonly entry: LogEntry; readonly record: BatchRecord },
): MirrorPartition {
  return {
    values,
    storage: { ...table.storage, location: `s3://${bucket}/${LINKS_PREFIX}${record.location}` },
    parameters: {
      [CATALOG_PARAMETER]: catalogName,
      [BATCH_PARAMETER]: record.batchId,
      [LOG_NUMBER_PARAMETER]: String(entry.number),
      [LOCATION_PARAMETER]: `s3://${bucket}/${record.location}`,
    },
  }
}

/** Of all links of the table. */
export function linksPrefix({ db, table }: TableRef): string {
  return `${LINKS_PREFIX}${db}/${table}/`
}

/** The object that lists the parts of a batch. */
export function linksKey({ location }: Pick<BatchRecord, 'location'>): string {
  return `${LINKS_PREFIX}${location}${LINKS_NAME}`
}

/** One address of a part a line. */
export function linksText(bucket: string, location: string, parts: readonly { readonly name: string }[]): string {
  return parts.map(({ name }) => `s3://${bucket}/${location}${name}\n`).join('')
}

export interface Difference {
  readonly field: string
  /** What the metastore has; null: nothing. */
  readonly mirror: string | null
  readonly catalogue: string
}

/** Only of what the catalogue says: parameters that others have added stay, and are no difference. */
export function tableDifferences(planned: MirrorTable, actual: MirrorTable): readonly Difference[] {
  const keys = [actual, planned].map(({ partitionKeys }) => partitionKeys.join(', '))
  return [
    ...difference('partitionKeys', keys[0], keys[1] ?? ''),
    ...difference('description', actual.description, planned.description),
    ...storageDifferences(planned.storage, actual.storage),
    ...parameterDifferences(planned.parameters, actual.parameters),
  ]
}

export function partitionDifferences(planned: MirrorPartition, actual: MirrorPartition): readonly Difference[] {
  return [
    ...storageDifferences(planned.storage, actual.storage),
    ...parameterDifferences(planned.parameters, actual.parameters),
  ]
}

function storageDifferences(planned: MirrorStorage, actual: MirrorStorage): readonly Difference[] {
  return [
    ...difference('location', withSlash(actual.location), planned.location),
    ...difference('columns', columnsText(actual.columns), columnsText(planned.columns)),
    ...(['inputFormat', 'outputFormat', 'serde'] as const).flatMap(field =>
      difference(field, actual[field], planned[field]),
    ),
  ]
}

function parameterDifferences(planned: MirrorTable['parameters'], actual: MirrorTable['parameters']): Difference[] {
  return Object.entries(planned).flatMap(([name, value]) => difference(name, actual[name], value))
}

function difference(field: string, mirror: string | undefined, catalogue: string): readonly Difference[] {
  return mirror === catalogue ? [] : [{ field, mirror: mirror ?? null, catalogue }]
}

function withSlash(location: string): string {
  return location === '' || location.endsWith('/') ? location : `${location}/`
}

function columnsText(columns: readonly MirrorColumn[]): string {
  return columns.map(({ name, type }) => `${name} ${type}`).join(', ')
}
