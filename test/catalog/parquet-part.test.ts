// Parts in Parquet of who knows whom: types, counts and every value, whatever the file says of itself.
import { DuckDBInstance } from '@duckdb/node-api'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Column, ColumnType, Row } from '../../src/catalog/columns.ts'
import { CatalogError } from '../../src/catalog/errors.ts'
import { countParquetRows } from '../../src/catalog/parquet-part.ts'
import { writeParquet } from '../../src/catalog/parquet-rows.ts'
import { PARQUET_LIMITS, ReadBudget, type ReadLimits } from '../../src/catalog/read-budget.ts'
import { ALL_TYPES, allTypesRows } from './row-factories.ts'

const count = (columns: readonly Column[], body: Uint8Array, limits: ReadLimits = PARQUET_LIMITS) =>
  countParquetRows({ columns, body, budget: new ReadBudget(limits) })

async function expectDiffers(columns: readonly Column[], body: Uint8Array, what: string): Promise<void> {
  await expect(count(columns, body)).rejects.toMatchObject({
    code: 'part-differs',
    message: expect.stringContaining(what),
  })
}

const one = (type: ColumnType): readonly Column[] => [{ name: 'n', type }]
const file = (type: ColumnType, ...values: readonly Row[string][]) =>
  writeParquet(
    one(type),
    values.map(n => ({ n })),
  )

test('what we have written has the rows that were written', async () => {
  await fc.assert(
    fc.asyncProperty(allTypesRows, async rows => {
      expect(await count(ALL_TYPES, writeParquet(ALL_TYPES, rows))).toBe(rows.length)
    }),
    { numRuns: 60 },
  )
})

test.each<[ColumnType, ColumnType, Row[string], string]>([
  ['double', 'int64', 1.5, 'the column "n" is DOUBLE, which is not int64'],
  ['int64', 'double', 1, 'the column "n" is INT64, which is not double'],
  ['timestamp', 'int64', 1, 'the column "n" is INT64 (TIMESTAMP_MILLIS, TIMESTAMP), which is not int64'],
  ['int64', 'timestamp', 1, 'the column "n" is INT64, which is not timestamp'],
  ['string', 'boolean', 'x', 'the column "n" is BYTE_ARRAY (UTF8, STRING), which is not boolean'],
  ['int64', 'list<int64>', 1, 'the column "n" is of another shape, which is not list<int64>'],
  ['list<int64>', 'int64', [1], 'the column "n" is a group (LIST), which is not int64'],
  ['list<int64>', 'list<double>', [1], 'the column "n" is INT64, which is not list<double>'],
  ['map<string,double>', 'list<double>', { a: 1 }, 'of another shape'],
  ['map<string,double>', 'map<string,int64>', { a: 1 }, 'the column "n" is DOUBLE, which is not map<string,int64>'],
  ['string', 'json', '{', 'rows 1 to 1: The column "n" holds text that is not JSON'],
])('%s is not taken for %s', async (written, wanted, value, what) => {
  const body = file(written, value)
  expect(await count(one(written), body)).toBe(1)
  await expectDiffers(one(wanted), body, what)
})

test('a column that is not in it is named', () =>
  expectDiffers([{ name: 'm', type: 'int64' }], file('int64', 1), 'the column "m" is not in it'))

describe('a file that is not whole', () => {
  const rows = Array.from({ length: 3000 }, (_, n) => ({ n: n * 7919, id: `u${n}é` }))
  const columns: readonly Column[] = [...one('int64'), { name: 'id', type: 'string' }]
  const body = writeParquet(columns, rows)

  test('is refused where it ends early, begins late, or has no end', async () => {
    for (const torn of [body.slice(0, -9), body.slice(9), body.slice(-400), new Uint8Array(0), new Uint8Array(12)]) {
      await expectDiffers(columns, torn, 'it is no Parquet file')
    }
  })

  test('is refused with the column and the rows whose pages are none', async () => {
    const torn = body.map((byte, index) => (index > 4 && index < 60 ? 0xff : byte))
    await expectDiffers(columns, torn, 'the column "n", rows 1 to 3000: ')
  })

  test('is refused with text that is no UTF-8', async () => {
    const text = file('string', 'aaaa')
    const at = Buffer.from(text).indexOf('aaaa')
    await expectDiffers(one('string'), text.with(at, 0xff), 'the column "n", rows 1 to 1: ')
  })

  test('is read whatever its footer says: nothing but our own errors comes of it', async () => {
    const small = writeParquet(ALL_TYPES, [{ userId: 'a', orders: 1, visits: [1], shares: { a: 1 }, state: [1] }])
    const footer = small.length - new DataView(small.buffer, small.byteOffset).getUint32(small.length - 8, true) - 8
    const change = fc.record({ at: fc.integer({ min: footer, max: small.length - 1 }), byte: fc.nat(255) })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async changes => {
        const odd = changes.reduce((bytes, { at, byte }) => bytes.with(at, byte), small)
        const found: unknown = await count(ALL_TYPES, odd).catch((error: unknown) => error)
        if (typeof found !== 'number') expect(found).toBeInstanceOf(CatalogError)
      }),
      { numRuns: 1000, seed: 7 },
    )
  })
})

describe('limits', () => {
  const body = file('int64', ...Array.from({ length: 1000 }, (_, n) => n))

  test('end the reading at the bytes that pages unpack into, before they are', async () => {
    const little = { ...PARQUET_LIMITS, plainBytesMax: 1000 }
    await expect(count(one('int64'), body, little)).rejects.toMatchObject({
      code: 'part-too-big',
      message: expect.stringContaining('1000 bytes'),
    })
  })

  test('and at the values', async () => {
    const few = { ...PARQUET_LIMITS, valuesMax: 999 }
    await expect(count(one('int64'), body, few)).rejects.toMatchObject({
      code: 'part-too-big',
      message: expect.stringContaining('999 values'),
    })
    expect(await count(one('int64'), body, { ...few, valuesMax: 1000 })).toBe(1000)
  })
})

describe('DuckDB’s files', () => {
  let folder: string
  let duckdb: DuckDBInstance
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parts-'))
    duckdb = await DuckDBInstance.create(':memory:')
  })
  afterAll(() => {
    duckdb.closeSync()
    rmSync(folder, { recursive: true })
  })

  async function written(select: string, options: string): Promise<Uint8Array> {
    const path = join(folder, 'part.parquet')
    const connection = await duckdb.connect()
    await connection.run(`copy (${select}) to '${path}' (format parquet, ${options})`)
    connection.closeSync()
    return new Uint8Array(readFileSync(path))
  }

  const select = `select case when i % 7 = 0 then null else 'u' || i end as "userId", i::bigint as orders, i / 3.0::double as mean, i % 2 = 0 as gift,
    timestamptz '2026-06-30 06:00:00Z' + to_seconds(i) as at, [i::bigint, null] as visits, map {'x': i::double} as shares from range(5000) t(i)`
  const columns = ALL_TYPES.filter(({ name }) => !['state', 'notes', 'seen'].includes(name))

  test.each(['snappy', 'gzip', 'zstd', 'uncompressed', 'brotli'])('are read, compressed with %s', async codec => {
    expect(await count(columns, await written(select, `compression ${codec}, row_group_size 2048`))).toBe(5000)
    const v2 = await written(select, `compression ${codec}, parquet_version v2`)
    expect(await count(columns, v2)).toBe(5000)
  })

  test.each([
    ['1::integer', 'INT32'],
    ['1::ubigint', 'INT64 (UINT_64'],
    ['1::decimal(18,2)', 'INT64 (DECIMAL)'],
    ["timestamp '2026-01-01'", 'INT64 (TIMESTAMP_MICROS, TIMESTAMP)'],
  ])('with %s for an int64 are refused', async (value, found) => {
    await expectDiffers(one('int64'), await written(`select ${value} as n`, 'compression snappy'), found)
  })

  test('with a codec that not every reader has are refused', async () => {
    const body = await written('select 1::bigint as n', 'compression lz4_raw')
    await expectDiffers(one('int64'), body, 'it is compressed with LZ4_RAW')
  })
})
