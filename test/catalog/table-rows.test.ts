import { beforeEach, expect, test } from 'vitest'
import type { Row } from '../../src/catalog/columns.ts'
import { loadRows, storeRows } from '../../src/catalog/table-rows.ts'
import { type CatalogWorld, catalogWorld, DAY, PLAIN, REASON, USERS } from './factories.ts'

let world: CatalogWorld
beforeEach(async () => {
  world = catalogWorld()
  await world.catalog.createTable(USERS, {
    format: 'parquet',
    owner: 'ana',
    columns: [
      { name: 'userId', type: 'string' },
      { name: 'orders', type: 'int64' },
    ],
  })
})

const rowsOf = (count: number): Row[] =>
  Array.from({ length: count }, (_, index) => ({ userId: `u${index}`, orders: index % 3 === 0 ? null : index }))

async function* slowly(rows: readonly Row[]): AsyncGenerator<Row> {
  for (const row of rows) yield row
}

async function loaded(batchId?: string): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of loadRows(world.catalog, DAY, batchId)) rows.push(row)
  return rows
}

test('stores rows in parts of a bounded number of rows, and loads them in order', async () => {
  const rows = rowsOf(23)
  const { batchId } = await storeRows(world.catalog, DAY, { rows: slowly(rows), ...REASON, partRowsMax: 10 })
  expect(await loaded()).toEqual(rows)
  const { manifest } = await world.catalog.load(DAY)
  expect(manifest.parts.map(part => part.rows)).toEqual([10, 10, 3])
  await storeRows(world.catalog, DAY, { rows: rowsOf(1), ...REASON })
  expect(await loaded()).toEqual(rowsOf(1))
  expect(await loaded(batchId)).toEqual(rows)
})

test('commits nothing when a row is wrong', async () => {
  const rows = [...rowsOf(5), { userId: 'wrong', orders: 'many' }]
  await expect(storeRows(world.catalog, DAY, { rows, ...REASON, partRowsMax: 2 })).rejects.toMatchObject({
    code: 'row-invalid',
    // Its place among all, not within its part.
    message: expect.stringMatching(/^Row 5 .*"orders"/),
  })
  expect(await world.catalog.current(DAY)).toBeUndefined()
})

test('a table of opaque parts has no rows', async () => {
  const ref = { db: 'models', table: 'churn', partition: 'production' }
  await world.catalog.createTable(ref, { ...PLAIN, format: 'zip' })
  const refused = expect.objectContaining({ code: 'format-has-no-rows' })
  await expect(storeRows(world.catalog, ref, { rows: [], ...REASON })).rejects.toEqual(refused)
  await world.catalog.store(ref, { parts: [{ body: new Uint8Array(3), rows: 0 }], ...REASON })
  await expect(loadRows(world.catalog, ref).next()).rejects.toEqual(refused)
})
