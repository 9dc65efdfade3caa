// A table changes by columns that come and go, all of them nullable; anything else would give what is stored another meaning.
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import type { Column } from '../../src/catalog/columns.ts'
import { CatalogError } from '../../src/catalog/errors.ts'
import type { TableSchema } from '../../src/catalog/items.ts'
import { loadRows, storeRows } from '../../src/catalog/table-rows.ts'
import { type CatalogWorld, catalogWorld, DAY, REASON, USERS } from './factories.ts'

let world: CatalogWorld
beforeEach(() => {
  world = catalogWorld()
})

const table = (...columns: Column[]): TableSchema => ({ format: 'parquet', owner: 'ana', columns })
const ID: Column = { name: 'id', type: 'string' }
const SPEND: Column = { name: 'spend', type: 'double' }
const ORDERS: Column = { name: 'orders', type: 'int64' }

async function rowsOf(batchId?: string): Promise<unknown[]> {
  const rows: unknown[] = []
  for await (const row of loadRows(world.catalog, DAY, batchId)) rows.push(row)
  return rows
}

test('a new column is null where nobody gives it, and a batch keeps the columns that it was written with', async () => {
  const { catalog } = world
  await catalog.createTable(USERS, table(ID))
  const before = await storeRows(catalog, DAY, { rows: [{ id: 'a' }], ...REASON })
  expect(await catalog.createTable(USERS, table(ID, SPEND))).toBe('changed')
  const rows = [{ id: 'b' }, { id: 'c', spend: 1.5 }]
  await storeRows(catalog, DAY, { rows, ...REASON })
  expect(await rowsOf()).toEqual([
    { id: 'b', spend: null },
    { id: 'c', spend: 1.5 },
  ])
  expect(await rowsOf(before.batchId)).toEqual([{ id: 'a' }])
  await catalog.rollback(DAY, { to: before.batchId, ...REASON })
  expect(await rowsOf()).toEqual([{ id: 'a' }])
})

test('a column may go, and come back as what it was', async () => {
  const { catalog } = world
  await catalog.createTable(USERS, table(ID, SPEND))
  const before = await storeRows(catalog, DAY, { rows: [{ id: 'a', spend: 1 }], ...REASON })
  expect(await catalog.createTable(USERS, table(ID))).toBe('changed')
  await expect(storeRows(catalog, DAY, { rows: [{ id: 'b', spend: 2 }], ...REASON })).rejects.toMatchObject({
    code: 'row-invalid',
  })
  expect(await rowsOf(before.batchId)).toEqual([{ id: 'a', spend: 1 }])
  expect(await catalog.createTable(USERS, table(ORDERS, SPEND, ID))).toBe('changed')
})

test.each<[string, TableSchema]>([
  ['another type of a column', table(ID, { name: 'spend', type: 'int64' })],
  ['another type of what is in a list', table(ID, SPEND, { name: 'tags', type: 'list<int64>' })],
  ['a column under a name that some engines do not tell from it', table(ID, { name: 'Spend', type: 'double' })],
  ['a column that was dropped, as something else', table(ID, { name: 'dropped', type: 'string' })],
  ['another format', { ...table(ID, SPEND), format: 'csv.gz' }],
  ['partition keys where there were none', { ...table(ID, SPEND), partitionKeys: ['day'] }],
  ['a column twice', table(ID, ID)],
])('%s is refused, and nothing changes', async (_what, changed) => {
  const { catalog } = world
  const now = table(ID, SPEND, { name: 'tags', type: 'list<string>' })
  await catalog.createTable(USERS, table(...now.columns, { name: 'dropped', type: 'int64' }))
  await catalog.createTable(USERS, now)
  const items = world.store.items.size
  const code = await catalog.createTable(USERS, changed).catch((error: CatalogError) => error.code)
  expect(['table-differs', 'column-invalid']).toContain(code)
  expect(await catalog.schema(USERS)).toEqual(now)
  expect(world.store.items.size).toBe(items)
})

const TYPES = ['int64', 'string'] as const
const column = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'A'), type: fc.constantFrom(...TYPES) })

test('whatever the changes, a name has one type and one spelling for ever', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(column, { maxLength: 3 }), { maxLength: 8 }), async schemas => {
      world = catalogWorld()
      const known = new Map<string, string>()
      for (const columns of schemas) {
        const spellings = columns.map(({ name }) => name.toLowerCase())
        const isTwice = new Set(spellings).size < columns.length
        const isOther = columns.some(({ name, type }) => {
          const before = known.get(name.toLowerCase())
          return before !== undefined && before !== `${name} ${type}`
        })
        const outcome = await world.catalog
          .createTable(USERS, table(...columns))
          .catch((error: CatalogError) => error.code)
        if (isTwice) expect(outcome).toBe('column-invalid')
        else if (isOther) expect(outcome).toBe('table-differs')
        else expect(['created', 'changed', 'exists']).toContain(outcome)
        if (!isTwice && !isOther) for (const { name, type } of columns) known.set(name.toLowerCase(), `${name} ${type}`)
      }
    }),
    { numRuns: 150 },
  )
})
