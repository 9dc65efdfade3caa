// What a metastore has of one table, held against the catalogue. The metastore is read first, so that what it has of a commit is never
// newer than what is read of the log: a log number there that is higher than the log's is a lie, and drift like any other.
import { mapWithLimit } from '../platform/concurrency.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { CatalogStore } from './catalog-store.ts'
import { type CurrentPartition, currentEntry, currentPartitions } from './commit-log.ts'
import { CatalogError } from './errors.ts'
import type { BatchRecord, LogEntry, TableSchema } from './items.ts'
import { readBatch } from './load-batch.ts'
import {
  CATALOG_PARAMETER,
  type Difference,
  linksKey,
  linksPrefix,
  type MirrorOptions,
  mirrorName,
  partitionDifferences,
  type PartitionStyle,
  partitionStyle,
  partitionText,
  partitionValues,
  plannedPartition,
  plannedTable,
  STYLE_PARAMETER,
  styleOf,
  TABLE_PARAMETER,
  tableDifferences,
} from './mirror-plan.ts'
import { type TableRef, tableKey } from './names.ts'
import type { MirrorName, MirrorPartition, MirrorTable, TableMirror } from './table-mirror.ts'

export interface MirrorPorts {
  readonly store: CatalogStore
  /** Of the catalogue's bucket. */
  readonly objects: ObjectStore
  readonly mirror: TableMirror
  readonly options: MirrorOptions
}

/** `missing`, `extra`: of the mirror. `unlisted`: the object that lists the batch's parts is gone. */
export interface Drift {
  /** null: of the table itself. */
  readonly partition: string | null
  readonly kind: 'missing' | 'extra' | 'differs' | 'unlisted'
  readonly differences: readonly Difference[]
}

export interface Comparison {
  readonly at: MirrorName
  readonly partitions: number
  readonly drift: readonly Drift[]
  readonly repairs: Repairs
}

export interface Repairs {
  readonly table?: { readonly planned: MirrorTable; readonly actual: MirrorTable | undefined }
  /** Glue takes no other partition keys for a table that is there: it is dropped and made anew. */
  readonly isRekeyed: boolean
  readonly puts: readonly PlannedPut[]
  readonly drops: readonly (readonly string[])[]
}

export interface PlannedPut extends Committed {
  readonly planned: MirrorPartition
  readonly actual: MirrorPartition | undefined
}

interface Committed {
  readonly partition: string
  readonly entry: LogEntry
  readonly record: BatchRecord
}

/** Of a batch item each, beside one another. */
const READS_MAX = 16

/** Of one partition alone, where `only` is given and the table itself is right. Throws CatalogError `mirror-name-taken`. */
export async function compareMirror(
  ports: MirrorPorts,
  ref: TableRef,
  schema: TableSchema,
  only?: string,
): Promise<Comparison> {
  const at = mirrorName(ports.options, ref)
  const actual = await ports.mirror.table(at)
  if (actual !== undefined) refuseForeign(ports.options, ref, { at, actual })
  const narrow = only === undefined || actual === undefined ? undefined : narrowOf(ports, ref, { schema, actual, only })
  return narrow === undefined
    ? compareAll(ports, ref, { at, schema, actual })
    : compareOne(ports, ref, { at, partition: only ?? '', ...narrow })
}

interface Narrow {
  readonly table: MirrorTable
  readonly values: readonly string[]
}

/** undefined: the whole table has to be looked at. */
function narrowOf(
  { options }: MirrorPorts,
  ref: TableRef,
  { schema, actual, only }: { readonly schema: TableSchema; readonly actual: MirrorTable; readonly only: string },
): Narrow | undefined {
  const style = schema.partitionKeys === undefined ? styleOf(actual) : partitionStyle(schema, [])
  const values = partitionValues(style, only)
  const table = plannedTable(options, ref, schema, style)
  return values === undefined || tableDifferences(table, actual).length > 0 ? undefined : { table, values }
}

async function compareOne(
  ports: MirrorPorts,
  ref: TableRef,
  { at, partition, table, values }: Narrow & { readonly at: MirrorName; readonly partition: string },
): Promise<Comparison> {
  const actual = await ports.mirror.partition(at, values)
  const entry = await currentEntry(ports.store, { ...ref, partition })
  const committed = entry === undefined ? [] : [await committedOf(ports, ref, { partition, entry })]
  const style = styleOf(table)
  const compared = comparePartitions(ports.options, { table, style, committed, actual: actual ? [actual] : [] })
  return { at, partitions: committed.length, ...compared }
}

async function compareAll(
  ports: MirrorPorts,
  ref: TableRef,
  { at, schema, actual }: { at: MirrorName; schema: TableSchema; actual: MirrorTable | undefined },
): Promise<Comparison> {
  const there = actual === undefined ? [] : await gather(ports.mirror.partitions(at))
  const current = await currentPartitions(ports.store, ref)
  const partitions = current.length
  // Which keys it has is only known once there is a partition.
  if (partitions === 0 && actual === undefined && schema.partitionKeys === undefined) {
    return { at, partitions, drift: [], repairs: { isRekeyed: false, puts: [], drops: [] } }
  }
  const style = partitionStyle(
    schema,
    current.map(({ partition }) => partition),
  )
  const table = plannedTable(ports.options, ref, schema, style)
  const committed = await mapWithLimit(current, READS_MAX, each => committedOf(ports, ref, each))
  const differences = actual === undefined ? [] : tableDifferences(table, actual)
  const isRekeyed = differences.some(({ field }) => field === 'partitionKeys' || field === STYLE_PARAMETER)
  const listed = await listedKeys(ports, ref)
  const compared = comparePartitions(ports.options, {
    table,
    style,
    committed,
    actual: isRekeyed ? [] : there,
    listed,
  })
  if (actual !== undefined && differences.length === 0) return { at, partitions, ...compared }
  const ofTable: Drift = { partition: null, kind: actual === undefined ? 'missing' : 'differs', differences }
  return {
    at,
    partitions,
    drift: [ofTable, ...compared.drift],
    repairs: { ...compared.repairs, isRekeyed, table: { planned: table, actual } },
  }
}

function comparePartitions(
  options: MirrorOptions,
  {
    table,
    style,
    committed,
    actual,
    listed,
  }: {
    readonly table: MirrorTable
    readonly style: PartitionStyle
    readonly committed: readonly Committed[]
    readonly actual: readonly MirrorPartition[]
    readonly listed?: ReadonlySet<string>
  },
): Pick<Comparison, 'drift' | 'repairs'> {
  const left = new Map(actual.map(partition => [JSON.stringify(partition.values), partition]))
  const drift: Drift[] = []
  const puts: PlannedPut[] = []
  for (const each of committed) {
    const values = partitionValues(style, each.partition)
    // Nobody can read what is cold or purged; an engine must not try.
    if (values === undefined || each.record.state !== 'hot' || each.record.purged !== undefined) continue
    const there = left.get(JSON.stringify(values))
    left.delete(JSON.stringify(values))
    const planned = plannedPartition(options, table, values, each)
    const differences = there === undefined ? [] : partitionDifferences(planned, there)
    const isListed = listed?.has(linksKey(each.record)) ?? true
    if (there !== undefined && differences.length === 0 && isListed) continue
    const kind = there === undefined ? 'missing' : differences.length > 0 ? 'differs' : 'unlisted'
    drift.push({ partition: each.partition, kind, differences })
    puts.push({ ...each, planned, actual: there })
  }
  const drops = [...left.values()].map(({ values }) => values)
  for (const values of drops) drift.push({ partition: partitionText(style, values), kind: 'extra', differences: [] })
  return { drift, repairs: { isRekeyed: false, puts, drops } }
}

async function committedOf(
  ports: MirrorPorts,
  ref: TableRef,
  { partition, entry }: CurrentPartition,
): Promise<Committed> {
  return { partition, entry, record: await readBatch(ports, { ...ref, partition }, entry.batchId) }
}

async function listedKeys({ objects }: MirrorPorts, ref: TableRef): Promise<ReadonlySet<string>> {
  const keys = new Set<string>()
  for await (const { key } of objects.list(linksPrefix(ref))) keys.add(key)
  return keys
}

async function gather<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}

function refuseForeign(
  { catalogName }: MirrorOptions,
  ref: TableRef,
  { at, actual }: { readonly at: MirrorName; readonly actual: MirrorTable },
): void {
  const [owner, table] = [actual.parameters[CATALOG_PARAMETER], actual.parameters[TABLE_PARAMETER]]
  if (owner === catalogName && table === tableKey(ref)) return
  const whose = owner === undefined || table === undefined ? 'of somebody else' : `${table} of ${owner}`
  throw new CatalogError(`The table ${at.database}.${at.name} of the mirror is ${whose}`, {
    code: 'mirror-name-taken',
    next: 'Give the mirror another database prefix, or drop that table if nobody needs it.',
    table: tableKey(ref),
  })
}
