// Holds the pages of a column chunk against what the footer says of it, by their headers alone: who decodes a page believes its header, and
// would take the memory that it asks for.
import type { ColumnMetaData } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import type { ReadBudget } from './read-budget.ts'

type PageHeader = ReturnType<typeof parquetHeader>

/** A column of one row group is decoded as a whole. */
export const CHUNK_BYTES_MAX = 256 * 1024 ** 2
export const CHUNK_VALUES_MAX = 16_000_000

/** Where it begins and ends; undefined: not within so many bytes. */
export function chunkRange(
  { dictionary_page_offset, data_page_offset, total_compressed_size }: ColumnMetaData,
  bytes: number,
): { readonly start: number; readonly end: number } | undefined {
  // Some writers say 0 where there is no dictionary.
  const start = Number(dictionary_page_offset || data_page_offset)
  const end = start + Number(total_compressed_size)
  return start >= 0 && end >= start && end <= bytes ? { start, end } : undefined
}

/** Undefined where nothing is wrong. Throws CatalogError `part-too-big`, and as hyparquet does of what is no header. */
export function pagesProblem(chunk: Uint8Array, meta: ColumnMetaData, budget: ReadBudget): string | undefined {
  const reader = { view: new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength), offset: 0 }
  let values = 0
  let plainBytes = 0
  while (reader.offset < chunk.byteLength - 1) {
    const header = parquetHeader(reader)
    const { compressed_page_size: packed, uncompressed_page_size: plain } = header
    reader.offset += packed
    if (!isCount(packed) || reader.offset > chunk.byteLength) return 'a page ends behind its column'
    if (!isCount(plain)) return 'a page says no size'
    plainBytes += plain
    if (plainBytes > CHUNK_BYTES_MAX) return `a row group of it has more than ${CHUNK_BYTES_MAX} bytes`
    budget.spendBytes(plain)
    const counted = countOf(header)
    if (counted === undefined) return 'a page says no count of values'
    values += counted
  }
  return values === Number(meta.num_values)
    ? undefined
    : `its pages have ${values} values instead of ${meta.num_values}`
}

/** A dictionary's own are none of the column's. */
function countOf({ type, uncompressed_page_size, ...header }: PageHeader): number | undefined {
  if (type === 'DICTIONARY_PAGE') {
    const entries = header.dictionary_page_header?.num_values
    // Each takes a byte at least.
    return isCount(entries) && entries <= uncompressed_page_size ? 0 : undefined
  }
  if (type === 'DATA_PAGE') {
    const count = header.data_page_header?.num_values
    return isCount(count) ? count : undefined
  }
  const v2 = type === 'DATA_PAGE_V2' ? header.data_page_header_v2 : undefined
  if (v2 === undefined) return undefined
  const isWhole = isCount(v2.num_values) && isCount(v2.num_nulls) && v2.num_nulls <= v2.num_values
  const levels = [v2.definition_levels_byte_length, v2.repetition_levels_byte_length]
  return isWhole && levels.every(bytes => isCount(bytes) && bytes <= uncompressed_page_size) ? v2.num_values : undefined
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}
