// The name of a partition from its keys and values: `year=2026/country=de`, as Hive, Spark and DuckDB write and read it.
import { CatalogError } from './errors.ts'
import type { TableSchema } from './items.ts'
import { checkPartition, type PartitionRef, tableKey, type TableRef } from './names.ts'

/** By key, or in the order of the table's partition keys. */
export type PartitionValues = readonly (string | number)[] | Readonly<Record<string, string | number>>

const PARTITION_KEY = /^[a-z][a-z0-9_]{0,63}$/

/** Throws CatalogError `name-invalid`: engines fold the names of keys to lower case. */
export function checkPartitionKeys(keys: readonly string[]): void {
  const wrong = keys.find((key, index) => !PARTITION_KEY.test(key) || keys.indexOf(key) !== index)
  if (wrong === undefined) return
  throw new CatalogError(`${JSON.stringify(wrong)} cannot be a partition key, or comes twice`, {
    code: 'name-invalid',
    next: 'Use small letters, digits and _, a letter first, each key once.',
  })
}

/** Without partition keys the values themselves are the name. Throws CatalogError `partition-invalid`, `name-invalid`. */
export function partitionName(ref: TableRef, { partitionKeys }: TableSchema, values: PartitionValues): string {
  const texts = valuesInOrder(ref, partitionKeys, values).map(String)
  const slashed = texts.find(text => text.includes('/') || text.includes('#'))
  if (slashed !== undefined) throw invalid(ref, `the value ${JSON.stringify(slashed)} has a / or a #`, partitionKeys)
  const segments = partitionKeys === undefined ? texts : texts.map((text, index) => `${partitionKeys[index]}=${text}`)
  return checkPartition({ ...ref, partition: segments.join('/') })
}

/** That the partition has a value for each partition key of its table, in order. Throws CatalogError `partition-invalid`. */
export function refuseOtherKeys(ref: PartitionRef, { partitionKeys }: TableSchema): void {
  if (partitionKeys === undefined) return
  const segments = ref.partition.split('/')
  const fits = partitionKeys.every((key, index) => segments[index]?.startsWith(`${key}=`) === true)
  if (!fits || segments.length !== partitionKeys.length) {
    throw invalid(ref, `${JSON.stringify(ref.partition)} does not name them`, partitionKeys)
  }
}

function valuesInOrder(
  ref: TableRef,
  keys: readonly string[] | undefined,
  values: PartitionValues,
): readonly (string | number)[] {
  if (isList(values)) {
    if (values.length === 0 || (keys !== undefined && values.length !== keys.length)) {
      throw invalid(ref, `${values.length} values were given`, keys)
    }
    return values
  }
  const unknown = Object.keys(values).find(key => keys?.includes(key) !== true)
  if (keys === undefined || unknown !== undefined) throw invalid(ref, `${unknown ?? 'a key'} is none of them`, keys)
  return keys.map(key => {
    const value = values[key]
    if (value === undefined) throw invalid(ref, `"${key}" has no value`, keys)
    return value
  })
}

function isList(values: PartitionValues): values is readonly (string | number)[] {
  return Array.isArray(values)
}

function invalid(ref: TableRef, what: string, keys: readonly string[] | undefined): CatalogError {
  const table = tableKey(ref)
  return new CatalogError(`The partition keys of ${table} are ${keys?.join(', ') ?? 'not declared'}: ${what}`, {
    code: 'partition-invalid',
    next:
      keys === undefined
        ? 'Give the values as a list.'
        : `Name the partition ${keys.map(key => `${key}=…`).join('/')}.`,
    table,
  })
}
