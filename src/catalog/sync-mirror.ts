// Makes a metastore say what the catalogue says, and looks again until it does: of two committers at once the slower one may have
// written the older place last, and whoever writes sees at the next look that the log went on.
import { mapWithLimit } from '../platform/concurrency.ts'
import type { CatalogStore } from './catalog-store.ts'
import { type Comparison, compareMirror, type Drift, type MirrorPorts, type PlannedPut } from './compare-mirror.ts'
import { CatalogError } from './errors.ts'
import { loadBatch } from './load-batch.ts'
import { linksKey, linksText } from './mirror-plan.ts'
import { type PartitionRef, type TableRef, tableKey } from './names.ts'
import { existingTable, tableSchema } from './table-schema.ts'

export interface SyncInput {
  /** Of one partition, as after a commit to it. */
  readonly only?: string
  readonly isDryRun?: boolean
  /** Whether a table whose partition keys are others may be dropped from the metastore and made anew. */
  readonly mayRekey?: boolean
}

export interface MirrorReport {
  /** `db.table` */
  readonly table: string
  readonly database: string
  readonly name: string
  /** That were looked at. */
  readonly partitions: number
  /** Before anything was repaired. */
  readonly drift: readonly Drift[]
  /** What is left of it, or has come since. */
  readonly left: readonly Drift[]
}

/** Each further one means that somebody else committed, or wrote to the metastore, in between. */
const ROUNDS_MAX = 5
/** Each reads a manifest and creates a small object. */
const LISTS_MAX = 8
/** Only Parquet has columns. */
const FORMAT = 'parquet'

/** Whether engines can read the table at all; of a table that is not there: no. */
export async function isMirrored(store: CatalogStore, ref: TableRef): Promise<boolean> {
  return (await tableSchema(store, ref))?.format === FORMAT
}

/** undefined: not of a format that engines read. Throws CatalogError `mirror-name-taken`, `mirror-keys-differ`, `table-not-found`. */
export async function syncMirror(
  ports: MirrorPorts,
  ref: TableRef,
  { only, isDryRun = false, mayRekey = false }: SyncInput = {},
): Promise<MirrorReport | undefined> {
  let first: readonly Drift[] | undefined
  for (let round = 1; ; round++) {
    const schema = await existingTable(ports.store, ref)
    if (schema.format !== FORMAT) return undefined
    const comparison = await compareMirror(ports, ref, schema, only)
    const { at, partitions, drift } = comparison
    first ??= drift
    if (isDryRun || drift.length === 0 || round > ROUNDS_MAX) {
      return { table: tableKey(ref), ...at, partitions, drift: first, left: drift }
    }
    if (comparison.repairs.isRekeyed && !mayRekey) throw keysDiffer(ref)
    await repair(ports, ref, comparison)
  }
}

/** Partitions before the table: whoever dies in between leaves a table that still differs, which the next commit sees. */
async function repair(ports: MirrorPorts, ref: TableRef, { at, repairs }: Comparison): Promise<void> {
  const { mirror } = ports
  const { table, isRekeyed, puts, drops } = repairs
  if (isRekeyed) await mirror.dropTable(at)
  if (table !== undefined && (isRekeyed || table.actual === undefined)) await mirror.createTable(at, table.planned)
  await mapWithLimit(puts, LISTS_MAX, put => listParts(ports, ref, put))
  if (drops.length > 0) await mirror.dropPartitions(at, drops)
  const partitions = puts.map(({ planned, actual }) => withParameters(planned, actual))
  if (partitions.length > 0) await mirror.putPartitions(at, partitions)
  if (table?.actual !== undefined && !isRekeyed) {
    await mirror.updateTable(at, withParameters(table.planned, table.actual))
  }
}

/** What others have added stays: statistics, notes of a crawler. */
function withParameters<T extends { readonly parameters: Readonly<Record<string, string>> }>(
  planned: T,
  actual: T | undefined,
): T {
  return { ...planned, parameters: { ...actual?.parameters, ...planned.parameters } }
}

/** The object that engines follow to the parts; of a batch that has one already nothing changes. */
async function listParts(ports: MirrorPorts, ref: TableRef, { partition, entry, record }: PlannedPut): Promise<void> {
  const { manifest } = await loadBatch(ports, { ...ref, partition }, entry)
  const text = linksText(ports.options.bucket, record.location, manifest.parts)
  await ports.objects.create(linksKey(record), new TextEncoder().encode(text), { contentType: 'text/plain' })
}

/** After a commit to it. Throws CatalogError `mirror-contended` where others are faster every time. */
export async function moveMirror(ports: MirrorPorts, { partition, ...ref }: PartitionRef): Promise<void> {
  const report = await syncMirror(ports, ref, { only: partition })
  if (report === undefined || report.left.length === 0) return
  throw new CatalogError(`The mirror of ${tableKey(ref)}, partition ${partition}, keeps changing`, {
    code: 'mirror-contended',
    retriable: true,
    next: 'Run `millrace table sync`; if it stays, find out who else writes to the table of the mirror.',
    table: tableKey(ref),
    partition,
  })
}

function keysDiffer(ref: TableRef): CatalogError {
  return new CatalogError(`The table ${tableKey(ref)} has other partition keys in the mirror`, {
    code: 'mirror-keys-differ',
    next: 'Run `millrace table sync`: it drops the table from the mirror and makes it anew.',
    table: tableKey(ref),
  })
}
