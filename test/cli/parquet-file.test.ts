import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openParquetFile } from '../../src/cli/parquet-file.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parquet-file-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function write(name: string, select: string): Promise<string> {
  const path = join(folder, name)
  const duckdb = await DuckDBInstance.create()
  const connection = await duckdb.connect()
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 2048)`)
  connection.closeSync()
  duckdb.closeSync()
  return path
}

describe('a Parquet file of somebody else', () => {
  it('gives its rows in order over row groups, nested columns and nulls whole', async () => {
    const path = await write(
      'orders.parquet',
      `SELECT n AS id, {'id': 'user-' || n % 7, 'tags': [n, n + 1]} AS customer,
        TIMESTAMP '2026-01-02 03:04:05.678' + to_seconds(n) AS at, CASE WHEN n % 3 = 0 THEN NULL ELSE n / 4 END AS amount
        FROM range(5000) AS t(n)`,
    )
    const { columns, rowCount, rows } = await openParquetFile(path)
    expect(columns).toEqual(['id', 'customer', 'at', 'amount'])
    expect(rowCount).toBe(5000)
    let row = 0
    for await (const cells of rows()) {
      const n = BigInt(row)
      const at = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678) + row * 1000)
      expect(cells).toEqual([n, { id: `user-${row % 7}`, tags: [n, n + 1n] }, at, row % 3 === 0 ? null : row / 4])
      row++
    }
    expect(row).toBe(5000)
  })

  it('gives decimals as they were written', async () => {
    const path = await write(
      'decimals.parquet',
      `SELECT CAST(n AS DECIMAL(9, 2)) / 1 AS plain, CAST(n / 100 AS DECIMAL(9, 2)) AS cents,
        CAST(-n / 1000 AS DECIMAL(18, 3)) AS mills, CAST(n AS DECIMAL(30, 4)) AS large,
        CASE WHEN n = 1 THEN NULL ELSE CAST(1 AS DECIMAL(4, 1)) END AS some FROM range(3000) AS t(n)`,
    )
    let n = 0
    for await (const cells of (await openParquetFile(path)).rows()) {
      expect(cells).toEqual([n, n / 100, n === 0 ? 0 : -n / 1000, n, n === 1 ? null : 1])
      n++
    }
    expect(n).toBe(3000)
  })

  it('may have no row', async () => {
    const { rows } = await openParquetFile(await write('empty.parquet', 'SELECT 1 AS id WHERE false'))
    for await (const cells of rows()) expect(cells).toBeUndefined()
  })

  it('that is none, or is not there, is said to be', async () => {
    const path = join(folder, 'text.parquet')
    writeFileSync(path, 'id,user\n1,ana\n')
    await expect(openParquetFile(path)).rejects.toMatchObject({ code: 'file-unreadable' })
    await expect(openParquetFile(join(folder, 'gone.parquet'))).rejects.toMatchObject({ code: 'file-missing' })
  })
})
