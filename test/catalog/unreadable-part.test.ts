// A batch whose bytes are as they were committed and are nothing that can be read: the reader is told which part of which batch, and never
// what a library threw.
import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Column } from '../../src/catalog/columns.ts'
import { gunzipText } from '../../src/catalog/gzip-text.ts'
import type { LoadedBatch, LoadedPart } from '../../src/catalog/load-batch.ts'
import { readParquet, writeParquet } from '../../src/catalog/parquet-rows.ts'
import type { RowFormatName } from '../../src/catalog/row-formats.ts'
import { loadColumns, loadRows, rowsOfPart } from '../../src/catalog/table-rows.ts'
import { type CatalogWorld, catalogWorld, REASON } from './factories.ts'

const COLUMNS: readonly Column[] = [{ name: 'n', type: 'int64' }]
const REF = { db: 'shop', table: 'odd', partition: 'all' }
const doubles = writeParquet([{ name: 'n', type: 'double' }], [{ n: 1.5 }])
const whole = writeParquet(
  COLUMNS,
  Array.from({ length: 2000 }, (_, n) => ({ n: n * n })),
)
/** Its first page has other bytes. */
const torn = whole.map((byte, index) => (index > 4 && index < 60 ? 0xff : byte))

let world: CatalogWorld
beforeEach(() => {
  world = catalogWorld()
})

async function drain(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _row of rows);
}

async function firstPart(batch: LoadedBatch): Promise<LoadedPart> {
  for await (const part of batch.parts()) return part
  throw new Error('a part was stored')
}

describe.each<[string, RowFormatName, { body: Uint8Array; rows: number }, string, string]>([
  ['no gzip', 'csv.gz', { body: Buffer.from('garbag'), rows: 7 }, 'part-differs', 'It is no whole gzip'],
  [
    'half a gzip',
    'ndjson.gz',
    { body: gzipSync('{"n":1}\n').subarray(0, 15), rows: 1 },
    'part-differs',
    'no whole gzip',
  ],
  [
    'a wrong line',
    'ndjson.gz',
    { body: gzipSync('{"n":"x"}\n'), rows: 1 },
    'part-differs',
    'Line 1 cannot be read: "n"',
  ],
  ['another type', 'parquet', { body: doubles, rows: 1 }, 'parquet-differs', 'The column "n" is DOUBLE'],
  ['torn pages', 'parquet', { body: torn, rows: 2000 }, 'parquet-differs', 'It is no whole Parquet file'],
])('a part with %s in %s', (_what, format, part, code, message) => {
  test('is named with its batch and its table', async () => {
    await world.catalog.createTable(REF, { columns: COLUMNS, format, owner: 'ana' })
    const { batchId } = await world.catalog.store(REF, { parts: [part], ...REASON })
    const expected = { code, table: 'shop.odd', batchId, message: expect.stringContaining(message) }
    const where = `part-00000.${format} of the batch ${batchId} of shop.odd: `
    const batch = await world.catalog.load(REF)
    const first = await firstPart(batch)
    for (const reading of [
      drain(loadRows(world.catalog, REF)),
      drain(loadColumns(world.catalog, REF)),
      rowsOfPart(batch, first, COLUMNS),
    ]) {
      const error: unknown = await reading.catch((thrown: unknown) => thrown)
      expect(error).toMatchObject(expected)
      expect((error as Error).message).toContain(where)
      expect((error as { next?: string }).next).toMatch(/\S+ \S+/)
    }
  })
})

test('text has an end: what unpacks into more is refused before it is in memory', () => {
  const bomb = gzipSync(Buffer.alloc(1024 ** 2))
  expect(() => gunzipText(bomb, 1000)).toThrow(
    expect.objectContaining({ code: 'part-differs', message: expect.stringContaining('longer than 1000 bytes') }),
  )
  expect(gunzipText(bomb)).toHaveLength(1024 ** 2)
})

test('bytes that are none of Parquet are the catalogue’s own error', async () => {
  for (const bytes of [
    new Uint8Array(0),
    new Uint8Array(3),
    Buffer.from('no parquet, long enough'),
    whole.slice(0, -9),
  ]) {
    await expect(readParquet(COLUMNS, bytes)).rejects.toMatchObject({ code: 'parquet-differs' })
  }
})
