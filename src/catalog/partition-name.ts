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

/**
 * Without partition keys the values themselves are the name. A value that is given as `key=value` of its own key is that value. Throws
 * CatalogError `partition-invalid`, `name-invalid`.
 */
export function partitionName(ref: TableRef, { partitionKeys }: TableSchema, values: PartitionValues): string {
  const given = valuesInOrder(ref, partitionKeys, values)
  const segments = given.map((value, index) => {
    const key = partitionKeys?.[index]
    const text = valueText(ref, value, { key, keys: partitionKeys })
    return key === undefined ? text : `${key}=${text}`
  })
  return checkPartition({ ...ref, partition: segments.join('/') })
}

interface ValuePlace {
  /** Of this value; undefined where the table has none. */
  readonly key: string | undefined
  readonly keys: readonly string[] | undefined
}

/** From outside a value may be anything: `null` and `NaN` would be names that look like a year. */
function valueText(ref: TableRef, value: unknown, { key, keys }: ValuePlace): string {
  const what = key === undefined ? 'a value' : `the value of "${key}"`
  if (typeof value === 'number') {
    // 2016.5 is no year, and beyond 2^53 the digits are not those that were meant; whoever means them gives text.
    if (!Number.isSafeInteger(value))
      throw invalid(ref, `${what} is ${value}, which is no whole number; give text`, keys)
    return String(value)
  }
  if (typeof value !== 'string') {
    throw invalid(ref, `${what} is ${value === null ? 'null' : typeof value}, not text or a whole number`, keys)
  }
  const other = keys?.find(each => each !== key && value.startsWith(`${each}=`))
  if (other !== undefined) throw invalid(ref, `${what} is ${JSON.stringify(value)}, which is of "${other}"`, keys)
  const text = key !== undefined && value.startsWith(`${key}=`) ? value.slice(key.length + 1) : value
  if (text === '') throw invalid(ref, `${what} is empty`, keys)
  if (/[/#]/.test(text)) throw invalid(ref, `${what}, ${JSON.stringify(text)}, has a / or a #`, keys)
  return text
}

/** Before a batch is stored: that the partition has a value for each partition key of its table, in order. Throws CatalogError `partition-invalid`. */
export function refuseOtherKeys(ref: PartitionRef, { partitionKeys }: TableSchema): void {
  const segments = ref.partition.split('/')
  const empty = segments.find(segment => segment.endsWith('=') && segment.indexOf('=') === segment.length - 1)
  if (empty !== undefined) throw invalid(ref, `"${empty.slice(0, -1)}" is empty`, partitionKeys)
  if (partitionKeys === undefined) return
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
