import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../../src/platform/canonical-json.ts'
import type { Column, Row } from '../../src/catalog/columns.ts'
import { readParquet, writeParquet } from '../../src/catalog/parquet-rows.ts'

const COLUMNS: readonly Column[] = [
  { name: 'userId', type: 'string' },
  { name: 'orders', type: 'int64' },
  { name: 'mean', type: 'double' },
  { name: 'gift', type: 'boolean' },
  { name: 'at', type: 'timestamp' },
  { name: 'state', type: 'json' },
  { name: 'visits', type: 'list<int64>' },
  { name: 'notes', type: 'list<json>' },
  { name: 'shares', type: 'map<string,double>' },
  { name: 'seen', type: 'map<string,timestamp>' },
]

const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null, freq: 4 })
const json = fc.jsonValue({ maxDepth: 3 }).map(value => JSON.parse(JSON.stringify(value)) as Json)
const int64 = fc.oneof(
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
)
// A map's reader makes an object of it.
const key = fc.string({ unit: 'binary' }).filter(text => text !== '__proto__' && text.isWellFormed())
const rowsOf = fc.array(
  fc.record({
    userId: nullable(fc.string({ unit: 'binary' })),
    orders: nullable(int64),
    mean: nullable(fc.double({ noNaN: true, noDefaultInfinity: true })),
    gift: nullable(fc.boolean()),
    at: nullable(fc.integer({ min: -1e12, max: 4e12 })),
    state: nullable(json),
    visits: nullable(fc.array(nullable(int64), { maxLength: 4 })),
    notes: nullable(fc.array(nullable(json), { maxLength: 3 })),
    shares: nullable(fc.dictionary(key, nullable(fc.double({ noNaN: true, noDefaultInfinity: true })), { maxKeys: 4 })),
    seen: nullable(fc.dictionary(key, fc.integer({ min: -1e12, max: 4e12 }), { maxKeys: 3 })),
  }),
  { maxLength: 40 },
)

test('reads back every row that it wrote', async () => {
  await fc.assert(
    fc.asyncProperty(rowsOf, async rows => {
      expect(await readParquet(COLUMNS, writeParquet(COLUMNS, rows as Row[]))).toEqual(rows)
    }),
    { numRuns: 200 },
  )
})

test('a missing member is null, and a table without rows is a file too', async () => {
  expect(await readParquet(COLUMNS, writeParquet(COLUMNS, [{ userId: 'a' }]))).toEqual([
    Object.fromEntries(COLUMNS.map(({ name }) => [name, name === 'userId' ? 'a' : null])),
  ])
  expect(await readParquet(COLUMNS, writeParquet(COLUMNS, []))).toEqual([])
})

test('types do not depend on the values: whole doubles stay doubles, columns of nulls keep their type', async () => {
  const bytes = writeParquet(COLUMNS, [{ mean: 3 }])
  const asIntegers = COLUMNS.map(column => (column.name === 'mean' ? { name: 'mean', type: 'int64' as const } : column))
  await expect(readParquet(asIntegers, bytes)).rejects.toMatchObject({ code: 'parquet-differs' })
  await expect(readParquet([{ name: 'never', type: 'double' }], bytes)).rejects.toMatchObject({
    code: 'parquet-differs',
  })
})

test.each<[string, Row]>([
  ['text for a number', { orders: '7' }],
  ['a fraction for an integer', { orders: 7.5 }],
  ['an integer that a number does not hold', { orders: 2 ** 53 }],
  ['an integer beyond 64 bits', { orders: 2n ** 63n }],
  ['NaN', { mean: Number.NaN }],
  ['an infinity', { mean: Number.POSITIVE_INFINITY }],
  ['a number for text', { userId: 7 }],
  ['half a surrogate pair', { userId: '\ud83d' }],
  ['a number for a flag', { gift: 1 }],
  ['a time as text', { at: '2001-06-30T00:00:00Z' }],
  ['a column that is none', { spend: 1 }],
])('refuses %s', (_, row) => {
  expect(() => writeParquet(COLUMNS, [{ userId: 'fine' }, row])).toThrow(
    expect.objectContaining({ code: 'row-invalid', message: expect.stringContaining('Row 1 ') }),
  )
})

test('DuckDB reads the same types, values and nulls, over several files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parquet-'))
  const duckdb = await DuckDBInstance.create(':memory:')
  const connection = await duckdb.connect()
  try {
    const first = {
      userId: 'ü-1',
      orders: 2n ** 60n,
      mean: 0.5,
      gift: true,
      at: 993_924_000_123,
      state: { a: [1, null] },
      visits: [1, null, 3],
      notes: [{ a: 1 }, 'x'],
      shares: { a: 0.5, b: null },
      seen: {},
    }
    writeFileSync(join(folder, 'part-00000.parquet'), writeParquet(COLUMNS, [first, {}]))
    writeFileSync(join(folder, 'part-00001.parquet'), writeParquet(COLUMNS, [{ userId: 'b', orders: -1, mean: -2 }]))
    const reader = await connection.runAndReadAll(
      `select *, epoch_ms("at") as ms, state->>'$.a[0]' as deep from read_parquet('${folder}/*.parquet') order by userId`,
    )
    expect(reader.columnTypes().map(String)).toEqual([
      'VARCHAR',
      'BIGINT',
      'DOUBLE',
      'BOOLEAN',
      'TIMESTAMP WITH TIME ZONE',
      // DuckDB's name for JSON text.
      'VARCHAR',
      'BIGINT[]',
      'VARCHAR[]',
      'MAP(VARCHAR, DOUBLE)',
      'MAP(VARCHAR, TIMESTAMP WITH TIME ZONE)',
      'BIGINT',
      'VARCHAR',
    ])
    const rows = reader.getRowObjectsJson()
    expect(rows).toMatchObject([
      { userId: 'b', orders: '-1', mean: -2, gift: null, ms: null, state: null },
      { userId: 'ü-1', orders: String(2n ** 60n), mean: 0.5, gift: true, ms: '993924000123', deep: '1' },
      { userId: null, orders: null, mean: null, gift: null, at: null, state: null, visits: null, shares: null },
    ])
    expect(rows[1]).toMatchObject({
      visits: ['1', null, '3'],
      notes: ['{"a":1}', '"x"'],
      shares: [
        { key: 'a', value: 0.5 },
        { key: 'b', value: null },
      ],
      seen: [],
    })
  } finally {
    connection.closeSync()
    duckdb.closeSync()
    rmSync(folder, { recursive: true })
  }
})
