// The formats of a table that has rows, behind one interface: what a part's bytes are is nobody else's business.
import type { Column, Row } from './columns.ts'
import { readCsv, writeCsv } from './csv-rows.ts'
import { CatalogError } from './errors.ts'
import type { TableSchema } from './items.ts'
import { readNdjson, writeNdjson } from './ndjson-rows.ts'
import { type ReadColumns, readParquetColumns, readParquetGroups, writeParquet } from './parquet-rows.ts'

export interface RowFormat {
  /** Throws CatalogError `row-invalid`. */
  readonly write: (columns: readonly Column[], rows: readonly Row[]) => Uint8Array
  /** Some rows at a time. Throws CatalogError `parquet-differs`, `part-differs`. */
  readonly read: (columns: readonly Column[], bytes: Uint8Array) => AsyncIterable<readonly Row[]>
  /** The columns that are asked for, which for Parquet are all that is decoded. Throws as read. */
  readonly readColumns: (columns: readonly Column[], bytes: Uint8Array) => Promise<ReadColumns>
}

export const ROW_FORMATS = ['parquet', 'ndjson.gz', 'csv.gz'] as const

export type RowFormatName = (typeof ROW_FORMATS)[number]

const FORMATS: Readonly<Record<RowFormatName, RowFormat>> = {
  parquet: { write: writeParquet, read: readParquetGroups, readColumns: readParquetColumns },
  'ndjson.gz': textFormat(writeNdjson, readNdjson),
  'csv.gz': textFormat(writeCsv, readCsv),
}

function textFormat(
  write: RowFormat['write'],
  readText: (columns: readonly Column[], bytes: Uint8Array) => Row[],
): RowFormat {
  return {
    write,
    async *read(columns, bytes) {
      yield readText(columns, bytes)
    },
    readColumns: async (columns, bytes) => {
      const rows = readText(columns, bytes)
      return { rows: rows.length, data: columns.map(({ name }) => rows.map(row => row[name] ?? null)) }
    },
  }
}

/** A table without columns has parts that are nobody's rows. Throws CatalogError `format-has-no-rows`. */
export function rowFormat(table: string, { format, columns }: Pick<TableSchema, 'format' | 'columns'>): RowFormat {
  const name = ROW_FORMATS.find(each => each === format)
  if (name !== undefined && columns.length > 0) return FORMATS[name]
  const what = name === undefined ? `${format}, which has no rows` : 'of no columns, so they have no rows'
  throw new CatalogError(`The parts of ${table} are ${what}`, {
    code: 'format-has-no-rows',
    next: 'Load its parts instead.',
    table,
  })
}
