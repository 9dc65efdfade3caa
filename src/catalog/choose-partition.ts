// Which partition a reader means: the named one, or, where none is named, the last one by name that has what is asked for. Of a table by
// day that is the last day, which is what "last night's snapshot" means: tonight's is not there before it is whole, and a day of last month
// that was stored anew is not the last one.
import type { Catalog } from './catalog.ts'
import type { BatchChoice } from './choose-batch.ts'
import { CatalogError } from './errors.ts'
import type { LogEntry } from './items.ts'
import { type PartitionRef, type TableRef, tableKey } from './names.ts'
import { partitionName, type PartitionValues } from './partition-name.ts'
import { tableNotFound } from './table-schema.ts'

export interface TablePlace extends TableRef {
  /** Its values, in the order of the table's partition keys or by key. */
  readonly partitions?: PartitionValues | undefined
  /** Its name, instead of the values. */
  readonly partition?: string | undefined
}

/** Undefined where neither values nor name are given. Throws CatalogError `table-not-found`, `partition-invalid`, `name-invalid`. */
export async function namedPartition(
  catalog: Pick<Catalog, 'schema'>,
  { db, table, partitions, partition }: TablePlace,
): Promise<PartitionRef | undefined> {
  const ref = { db, table }
  if (partition !== undefined && partitions !== undefined) {
    throw new CatalogError('Both the name of a partition and its values are given', {
      code: 'partition-invalid',
      next: 'Give one of them.',
      table: tableKey(ref),
    })
  }
  if (partition !== undefined) return { ...ref, partition }
  if (partitions === undefined) return undefined
  const schema = await catalog.schema(ref)
  if (schema === undefined) throw tableNotFound(ref)
  return { ...ref, partition: partitionName(ref, schema, partitions) }
}

/** Of partitions that have nothing of the choice the next one is asked. */
const ELSEWHERE: ReadonlySet<string> = new Set(['partition-empty', 'anchor-not-found', 'batch-not-found'])

/**
 * Names sort by code point, so that months and days are written with two digits. Throws as Catalog.choose, and CatalogError
 * `table-not-found`.
 */
export async function choosePartition(
  catalog: Pick<Catalog, 'schema' | 'partitions' | 'choose'>,
  place: TablePlace,
  choice: BatchChoice = {},
): Promise<{ readonly ref: PartitionRef; readonly entry: LogEntry }> {
  const named = await namedPartition(catalog, place)
  if (named !== undefined) return { ref: named, entry: await catalog.choose(named, choice) }
  const { db, table } = place
  let refused: unknown
  for (const { partition } of (await catalog.partitions({ db, table })).toReversed()) {
    const ref = { db, table, partition }
    try {
      return { ref, entry: await catalog.choose(ref, choice) }
    } catch (error) {
      if (!(error instanceof CatalogError) || !ELSEWHERE.has(error.code)) throw error
      refused ??= error
    }
  }
  if (refused !== undefined) throw refused
  if ((await catalog.schema({ db, table })) === undefined) throw tableNotFound({ db, table })
  throw new CatalogError(`Nothing was ever committed to ${tableKey({ db, table })}`, {
    code: 'partition-empty',
    next: 'Check the name of the table, or store a batch.',
    table: tableKey({ db, table }),
  })
}
