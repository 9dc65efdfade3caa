// Last night's snapshot in SQL, over the files that `millrace table load --out FOLDER` has fetched: the folder is the argument.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { Column, Row, RowValue } from '../../../src/catalog/columns.ts'
import { valuesChecksum } from '../../../src/catalog/values-checksum.ts'

const [, , folder = '.'] = process.argv
const startMs = performance.now()
const duckdb = await DuckDBInstance.create(':memory:')
const connection = await duckdb.connect()
// The line that people write; instants stay numbers here, to be compared.
const found = await connection.runAndReadAll(`select * from read_parquet('${folder}/*.parquet')`)
const rows = found.getRowObjectsJson()
const secondsToFirstRow = (performance.now() - startMs) / 1000
const { columns } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
  readonly columns: readonly Column[]
}
const instants = columns.filter(({ type }) => type === 'timestamp').map(({ name }) => name)
const plain = instants.map(name => `epoch_ms("${name}") as "${name}"`).join(', ')
const comparable = instants.length === 0 ? '*' : `* replace (${plain})`
const values = await connection.runAndReadAll(`select ${comparable} from read_parquet('${folder}/*.parquet')`)
const checksum = await valuesChecksum(
  columns,
  values.getRowObjectsJson().map(row => rowOf(row as Readonly<Record<string, unknown>>)),
)
connection.closeSync()
duckdb.closeSync()
console.log(JSON.stringify({ rows: rows.length, checksum, secondsToFirstRow, first: rows[0]?.['user_id'] }))

/** DuckDB's JSON has 64 bits as text, and JSON as the text that it is. */
function rowOf(row: Readonly<Record<string, unknown>>): Row {
  return Object.fromEntries(columns.map(({ name, type }) => [name, valueOf(row[name] ?? null, type)]))
}

function valueOf(value: unknown, type: Column['type']): RowValue {
  if (value === null) return null
  if (type === 'int64' || type === 'timestamp') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : BigInt(value as string)
  }
  return type === 'json' ? (JSON.parse(value as string) as RowValue) : (value as RowValue)
}
