// What `table store` takes of Parquet files of other writers, to the last digit, and what it refuses because it could not keep it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Row } from '../../src/catalog/columns.ts'
import { rowFormat } from '../../src/catalog/row-formats.ts'
import { openTableFile } from '../../src/cli/table-file.ts'

let folder: string
let files = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'table-parquet-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** The rows of a file of DuckDB's, through the format of a table, and its types. */
async function stored(select: string) {
  const path = join(folder, `${files++}.parquet`)
  const duckdb = await DuckDBInstance.create()
  const connection = await duckdb.connect()
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`)
  connection.closeSync()
  duckdb.closeSync()
  const file = await openTableFile(path)
  const { columns } = await file.look(new Map())
  const given: Row[] = []
  for await (const row of file.rows(columns)) given.push(row)
  const { write, read } = rowFormat('shop.x', { format: 'parquet', columns })
  const rows: Row[] = []
  for await (const some of read(columns, write(columns, given))) rows.push(...some)
  return { rows, types: columns.map(({ type }) => type) }
}

describe('kept', () => {
  it.each<[string, string, unknown]>([
    ['a time between two milliseconds, before 1970 too', `SELECT make_timestamp(-1500) AS x`, -2],
    ['one after', `SELECT make_timestamp(1500) AS x`, 1],
    ['nanoseconds', `SELECT make_timestamp_ns(-1000001) AS x`, -2],
    ['a decimal of 15 digits', `SELECT 9999999999999.99::DECIMAL(38, 2) AS x`, 9999999999999.99],
    ['decimals in a list', `SELECT [19.99, -0.07]::DECIMAL(9, 2)[] AS x`, [19.99, -0.07]],
    [
      'decimals in a struct and a map',
      `SELECT {'a': 19.99::DECIMAL(9, 2), 'm': MAP {'k': 1.005::DECIMAL(9, 3)}} AS x`,
      { a: 19.99, m: { k: 1.005 } },
    ],
    [
      'a struct with a 64-bit integer',
      `SELECT {'n': 9007199254740991::BIGINT, 'm': [1::BIGINT]} AS x`,
      { n: 9007199254740991, m: [1] },
    ],
    ['a mark at the start of a text', `SELECT '\uFEFFa' AS x`, '\uFEFFa'],
    ['bytes that are text', `SELECT 'abc'::BLOB AS x`, 'abc'],
    ['an integer beyond 2^53', `SELECT 1152921504606846977::BIGINT AS x`, 1152921504606846977n],
  ])('%s', async (_, select, value) => {
    expect((await stored(select)).rows).toEqual([{ x: value }])
  })

  it('every decimal of up to 15 digits as it was written', async () => {
    const { rows, types } = await stored(
      `SELECT (n * 7919 % 999999999999999)::DECIMAL(38, 0) * 0.01::DECIMAL(3, 2) AS x, (n * 7919 % 999999999999999)::VARCHAR AS digits
        FROM (SELECT (i * 104729 * 1000003)::HUGEINT AS n FROM range(2000) AS t(i))`,
    )
    expect(types).toEqual(['double', 'string'])
    for (const { x, digits } of rows) expect(x).toBe(Number(`${digits as string}e-2`))
  })
})

describe('refused, with row and column', () => {
  it.each([
    ['bytes that are no text', `SELECT '\\xFF\\xFE'::BLOB AS x`, 'value-not-exact'],
    ['such bytes in a list', `SELECT ['\\xFF'::BLOB] AS x`, 'value-not-exact'],
    ['such bytes as the key of a map', `SELECT MAP {'\\xFF'::BLOB: 1} AS x`, 'value-not-exact'],
    ['a decimal of more digits', `SELECT 10000000000000.01::DECIMAL(38, 2) AS x`, 'value-not-exact'],
    ['a negative one', `SELECT -12345678901234567890.12::DECIMAL(38, 2) AS x`, 'value-not-exact'],
    ['one in a struct', `SELECT {'a': 12345678901234567.12::DECIMAL(38, 2)} AS x`, 'value-not-exact'],
    ['an integer beyond 2^53 in a struct', `SELECT {'a': 1152921504606846977::BIGINT} AS x`, 'row-invalid'],
    ['NaN in a struct', `SELECT {'a': 'nan'::DOUBLE} AS x`, 'row-invalid'],
    ['an unsigned integer beyond 63 bits', `SELECT 18446744073709551615::UBIGINT AS x`, 'row-invalid'],
  ])('%s', async (_, select, code) => {
    const message = expect.stringMatching(/^Row 1 .*"x"/)
    await expect(stored(`SELECT NULL AS x UNION ALL ${select}`)).rejects.toMatchObject({ code, message })
  })

  it('an integer that a double does not hold, where the table has doubles', async () => {
    const path = join(folder, 'double.parquet')
    const duckdb = await DuckDBInstance.create()
    const connection = await duckdb.connect()
    await connection.run(`COPY (SELECT unnest([2::BIGINT, 9007199254740993]) AS x) TO '${path}' (FORMAT parquet)`)
    connection.closeSync()
    duckdb.closeSync()
    const columns = [{ name: 'x', type: 'double' }] as const
    const rows: Row[] = []
    for await (const row of (await openTableFile(path)).rows(columns)) rows.push(row)
    expect(rows[0]).toEqual({ x: 2 })
    const { write } = rowFormat('shop.x', { format: 'parquet', columns })
    expect(() => write(columns, rows)).toThrow(expect.objectContaining({ code: 'row-invalid' }))
  })
})
