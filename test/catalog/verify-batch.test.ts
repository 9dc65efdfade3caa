// Whatever happens to the bytes of a batch is told, all of it, and nothing else.
import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { writeParquet } from '../../src/catalog/parquet-rows.ts'
import type { RowFormatName } from '../../src/catalog/row-formats.ts'
import { runRetention } from '../../src/catalog/run-retention.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { type Difference, verifyBatch } from '../../src/catalog/verify-batch.ts'
import { DAY, PLAIN, REASON, USERS } from './factories.ts'
import { type MaintenanceWorld, maintenanceWorld, NEXT } from './maintenance-world.ts'

const TABLE = { db: 'shop', table: 'rows' }
const REF = { ...TABLE, partition: 'all' }

let world: MaintenanceWorld
let batchId = ''
let location = ''
beforeEach(async () => {
  world = maintenanceWorld()
  const columns = [{ name: 'user_id', type: 'string' } as const]
  await world.catalog.createTable(TABLE, { columns, format: 'parquet', owner: 'ana' })
  const rows = ['a', 'b', 'c', 'd', 'e'].map(id => ({ user_id: id }))
  batchId = (await storeRows(world.catalog, REF, { rows, partRowsMax: 2, ...REASON })).batchId
  location = `shop/rows/all/${batchId}/`
})

const verify = (isReadingRows = false) => verifyBatch({ ...world, isReadingRows }, REF, batchId)
const change = (name: string, by: (bytes: Uint8Array) => Uint8Array) => {
  const bytes = world.objects.objects.get(`${location}${name}`)
  if (bytes === undefined) throw new Error(`no ${name}`)
  world.objects.objects.set(`${location}${name}`, by(bytes))
}
const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte, index) => (index === 20 ? byte ^ 1 : byte))

test('finds nothing where nothing is wrong, and counts what it has read', async () => {
  const whole = { partition: 'all', batchId, state: 'hot', parts: 3, rows: 5, differences: [], unnamed: [] }
  expect(await verify()).toMatchObject({ ...whole, looked: 'bytes' })
  expect(await verify(true)).toMatchObject({ ...whole, looked: 'rows' })
})

test('lists every part that is gone, shorter or changed, and what no manifest names', async () => {
  world.objects.objects.delete(`${location}part-00000.parquet`)
  change('part-00001.parquet', flip)
  change('part-00002.parquet', bytes => bytes.slice(0, -1))
  world.objects.objects.set(`${location}part-00009.parquet`, new Uint8Array(3))
  const { differences, unnamed } = await verify()
  expect(differences).toMatchObject([
    { of: 'part-00000.parquet', what: 'gone', found: null },
    { of: 'part-00001.parquet', what: 'sha256' },
    { of: 'part-00002.parquet', what: 'bytes' },
    { of: 'part-00002.parquet', what: 'sha256' },
  ])
  expect(unnamed).toEqual(['part-00009.parquet'])
  const read = (await verify(true)).differences
  expect(read.filter(({ what }) => what === 'unreadable').length).toBeGreaterThan(0)
})

test('holds the manifest against the batch item', async () => {
  change('manifest.json', bytes => Buffer.from(Buffer.from(bytes).toString().replace('"rows": 2', '"rows": 3')))
  expect((await verify()).differences).toMatchObject([
    { of: 'manifest.json', what: 'sha256' },
    { of: 'item', what: 'rows', expected: 6, found: 5 },
  ])
  expect((await verify(true)).differences).toContainEqual({
    of: 'part-00000.parquet',
    what: 'rows',
    expected: 3,
    found: 2,
  })
  change('manifest.json', () => Buffer.from('{'))
  expect((await verify()).differences).toMatchObject([{ what: 'sha256' }, { of: 'manifest.json', what: 'unreadable' }])
  world.objects.objects.delete(`${location}manifest.json`)
  expect((await verify()).differences).toMatchObject([{ of: 'manifest.json', what: 'gone' }])
})

describe('a batch that was committed as nobody can read it', () => {
  const columns = [{ name: 'n', type: 'int64' } as const]
  const doubles = writeParquet([{ name: 'n', type: 'double' }], [{ n: 1.5 }])
  const bomb = gzipSync(Buffer.alloc(64 * 1024 ** 2, ' '))
  const two = gzipSync('{"n":1}\n{"n":2}\n')

  test.each<[string, RowFormatName, { body: Uint8Array; rows: number }, Partial<Difference>]>([
    ['other rows', 'ndjson.gz', { body: two, rows: 9 }, { what: 'rows', expected: 9, found: 2 }],
    ['no gzip', 'csv.gz', { body: Buffer.from('garbag'), rows: 7 }, { what: 'unreadable' }],
    ['another type', 'parquet', { body: doubles, rows: 1 }, { what: 'unreadable' }],
    ['a line without end', 'ndjson.gz', { body: bomb, rows: 1 }, { what: 'unreadable' }],
  ])('has its bytes, and %s is found by reading it', async (_what, format, part, difference) => {
    const ref = { db: 'shop', table: 'odd', partition: 'all' }
    await world.catalog.createTable(ref, { columns, format, owner: 'ana' })
    const { batchId: id } = await world.catalog.store(ref, { parts: [part], ...REASON })
    expect(await verifyBatch(world, ref, id)).toMatchObject({ looked: 'bytes', differences: [] })
    const { differences } = await verifyBatch({ ...world, isReadingRows: true }, ref, id)
    expect(differences).toMatchObject([{ of: `part-00000.${format}`, ...difference }])
  })
})

describe('a table whose parts are no rows', () => {
  beforeEach(async () => {
    await world.catalog.createTable(USERS, PLAIN)
  })

  test('is not read as rows, and a promoted batch is where it was stored', async () => {
    const id = await world.add(DAY.partition, 'a', 'b')
    await world.catalog.promote(DAY, NEXT, { batchId: id, ...REASON })
    expect(await verifyBatch({ ...world, isReadingRows: true }, NEXT, id)).toMatchObject({
      parts: 2,
      rows: 2,
      differences: [],
    })
  })

  test('has nothing to verify of a batch that is purged', async () => {
    const id = await world.add(DAY.partition, 'a')
    await world.add(DAY.partition, 'b')
    const request = { policy: { keepBatches: 1 }, ...REASON, pinnedBy: [], isDryRun: false }
    await runRetention(world, USERS, request)
    expect(await verifyBatch(world, DAY, id)).toMatchObject({ state: 'purged', parts: 0, differences: [] })
  })

  test('that is purged while it is verified is not damaged', async () => {
    const id = await world.add(DAY.partition, 'a', 'b', 'c', 'd')
    await world.add(DAY.partition, 'e')
    let reads = 0
    const objects = {
      ...world.objects,
      get: async (key: string) => {
        const request = { policy: { keepBatches: 1 }, ...REASON, pinnedBy: [], isDryRun: false }
        if (++reads === 3) await runRetention(world, USERS, request)
        return world.objects.get(key)
      },
    }
    expect(await verifyBatch({ ...world, objects }, DAY, id)).toMatchObject({ state: 'purged', differences: [] })
    expect(reads).toBeGreaterThan(3)
  })
})
