// What a table is. Features come and go, so a schema changes: the first one is the item `schema`, each later one
// `schema#000000002` and on, never overwritten, the highest in force. A batch keeps the columns that it was written with.
import { canonicalJson } from '../platform/canonical-json.ts'
import type { CatalogStore } from './catalog-store.ts'
import { checkColumns, type Column } from './columns.ts'
import { CatalogError } from './errors.ts'
import { readSchema, type TableSchema, toAttributes } from './items.ts'
import { SCHEMA_PREFIX, schemaNumberOf, schemaSortKey } from './layout.ts'
import { type TableRef, tableKey } from './names.ts'
import { checkPartitionKeys } from './partition-name.ts'

/** Each lost round means that somebody else changed the schema of this very table in between. */
const ROUNDS_MAX = 10

/** Throws CatalogError `table-differs` where a column would change its type, be it one that was dropped, or the table its format or keys. */
export async function defineTable(
  store: CatalogStore,
  ref: TableRef,
  schema: TableSchema,
): Promise<'created' | 'changed' | 'exists'> {
  const table = tableKey(ref)
  checkColumns(schema.columns)
  checkPartitionKeys(schema.partitionKeys ?? [])
  if (!/^[a-z0-9.]{1,20}$/.test(schema.format)) {
    throw new CatalogError(`"${schema.format}" cannot be the format of ${table}`, { code: 'format-invalid', table })
  }
  const attributes = toAttributes(schema)
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const newest = await newestSchema(store, table)
    if (newest !== undefined) {
      if (canonicalJson(toAttributes(newest.schema)) === canonicalJson(attributes)) return 'exists'
      await refuseOtherMeaning(store, table, { before: newest.schema, after: schema })
    }
    const sk = schemaSortKey((newest?.number ?? 0) + 1)
    if ((await store.create({ table, sk, attributes })) === 'created')
      return newest === undefined ? 'created' : 'changed'
  }
  throw new CatalogError(`Others keep changing the schema of ${table}`, {
    code: 'table-contended',
    retriable: true,
    next: 'Find out who defines it otherwise.',
    table,
  })
}

export async function tableSchema(store: CatalogStore, ref: TableRef): Promise<TableSchema | undefined> {
  return (await newestSchema(store, tableKey(ref)))?.schema
}

/** Throws CatalogError `table-not-found`. */
export async function existingTable(store: CatalogStore, ref: TableRef): Promise<TableSchema> {
  const schema = await tableSchema(store, ref)
  if (schema !== undefined) return schema
  throw tableNotFound(ref)
}

export function tableNotFound(ref: TableRef): CatalogError {
  const table = tableKey(ref)
  return new CatalogError(`There is no table ${table}`, {
    code: 'table-not-found',
    next: 'Check the name; the first snapshot or publish makes it.',
    table,
  })
}

async function newestSchema(
  store: CatalogStore,
  table: string,
): Promise<{ readonly number: number; readonly schema: TableSchema } | undefined> {
  for await (const item of store.list(table, SCHEMA_PREFIX, { isNewestFirst: true, limit: 1 })) {
    return { number: schemaNumberOf(item.sk), schema: readSchema(item) }
  }
  return undefined
}

/**
 * Columns may come and go, each of them nullable; one that stays, or comes back, means what it always meant, or batches side by side could
 * not be read together.
 */
async function refuseOtherMeaning(
  store: CatalogStore,
  table: string,
  { before, after }: { readonly before: TableSchema; readonly after: TableSchema },
): Promise<void> {
  const keys = [before, after].map(({ partitionKeys }) => partitionKeys?.join(', ') ?? 'none')
  if (before.format !== after.format) throw tableDiffers(table, `the format ${before.format}`)
  if (keys[0] !== keys[1]) throw tableDiffers(table, `other partition keys: ${keys[0]}`)
  const known = new Map<string, Column>()
  for await (const item of store.list(table, SCHEMA_PREFIX)) {
    for (const column of readSchema(item).columns) known.set(column.name.toLowerCase(), column)
  }
  for (const { name, type } of after.columns) {
    const column = known.get(name.toLowerCase())
    if (column === undefined) continue
    if (column.type !== type) throw tableDiffers(table, `another type of the column "${column.name}": ${column.type}`)
    if (column.name !== name)
      throw tableDiffers(table, `the column "${column.name}", which is not "${name}" to all engines`)
  }
}

function tableDiffers(table: string, what: string): CatalogError {
  return new CatalogError(`The table ${table} exists with ${what}`, {
    code: 'table-differs',
    next: 'Give the column, or the table, a new name.',
    table,
  })
}
