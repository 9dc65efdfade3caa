// `table list|show|store|load` as a person calls them, on the local cloud's DynamoDB and S3.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { jsonOf, openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', events: [visit], features: features({ a: count(visit) }), models: [] })
`
const CSV = `id,postcode,n,share,member,at,note
a,01067,1,0.5,TRUE,2026-06-30T06:00:00Z,"Hello, ""world"""
b,,,2,FALSE,,""

c,10115,-3,,,2026-06-30 08:00:00+02:00,=1+1
`

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ source: PIPELINE })
  await writeFile(join(shop.folder, 'users.csv'), CSV)
})
afterAll(() => shop.close())

const millrace = (...words: string[]) => shop.millrace('table', ...words)
const json = async (...words: string[]) => jsonOf(await millrace(...words, '--json'))
const file = (name: string) => join(shop.folder, name)

describe('store', () => {
  const COLUMNS = [
    { name: 'id', type: 'string' },
    { name: 'postcode', type: 'string' },
    { name: 'n', type: 'int64' },
    { name: 'share', type: 'double' },
    { name: 'member', type: 'boolean' },
    { name: 'at', type: 'timestamp' },
    { name: 'note', type: 'string' },
  ]

  it('asks for --create where there is no table, and shows with --dry-run what it would make', async () => {
    const missing = await json('store', 'users.csv', 'shop.people', '2026')
    expect(missing).toMatchObject({ exitCode: 1, json: { error: { code: 'table-not-found' } } })
    const dry = ['store', 'users.csv', 'shop.people', '2026', '--create', '--dry-run']
    expect(await json(...dry)).toMatchObject({
      exitCode: 0,
      json: { isDryRun: true, change: 'created', rows: 3, parts: 1, format: 'parquet', columns: COLUMNS },
    })
    const { stdout } = await millrace(...dry)
    expect(stdout).toMatch(/^Would make the table:\n {2}id string\n {2}postcode string\n {2}n int64\n/)
    expect(stdout).toMatch(/Would store 3 rows as 1 parts of parquet, \d+ bytes, into shop.people, partition 2026\n$/)
    expect(await shop.connection.catalog.schema({ db: 'shop', table: 'people' })).toBeUndefined()
  })

  it('makes the table, stores, and gives the same rows back', async () => {
    const words = ['store', 'users.csv', 'shop.people', '--key', 'year=2026', '--create', '--about', 'People']
    const { json: stored } = await json(...words, '--why', 'by hand')
    expect(stored).toMatchObject({ partition: 'year=2026', rows: 3, parts: 1, kind: 'commit', number: 1, who: 'ana' })
    const { json: loaded } = await json('load', 'shop.people')
    const at = Date.UTC(2026, 5, 30, 6)
    expect(loaded.rows).toEqual([
      { id: 'a', postcode: '01067', n: 1, share: 0.5, member: true, at, note: 'Hello, "world"' },
      { id: 'b', postcode: null, n: null, share: 2, member: false, at: null, note: '' },
      { id: 'c', postcode: '10115', n: -3, share: null, member: null, at, note: '=1+1' },
    ])
    expect(loaded).toMatchObject({ batchId: stored.batchId, partition: 'year=2026', total: 3 })
  })

  it('stores once what has the same idempotency key', async () => {
    const words = ['store', 'users.csv', 'shop.people', 'year=2027', '--idempotency-key', 'night-27']
    const [first, second] = [await json(...words), await json(...words)]
    expect(second.json.batchId).toBe(first.json.batchId)
    expect(second.json.number).toBe(1)
  })

  it('adds a column with --create only, and refuses a value of another type, with nothing stored', async () => {
    await writeFile(file('more.ndjson'), '{"id":"d","tags":["x",null],"n":4}\n\n{"id":"e","tags":[]}\n')
    const words = ['store', 'more.ndjson', 'shop.people', 'year=2028']
    expect(await json(...words)).toMatchObject({ exitCode: 1, json: { error: { code: 'column-not-found' } } })
    expect((await json(...words, '--create')).json).toMatchObject({ change: 'changed', rows: 2 })
    const { json: loaded } = await json('load', 'shop.people', 'year=2028', '--columns', 'tags,id,note')
    expect(loaded.rows).toEqual([
      { tags: ['x', null], id: 'd', note: null },
      { tags: [], id: 'e', note: null },
    ])
    await writeFile(file('wrong.ndjson'), '{"id":"f","n":1}\n{"id":"g","n":"many"}\n')
    expect(await json('store', 'wrong.ndjson', 'shop.people', 'year=2029')).toMatchObject({
      exitCode: 1,
      json: { error: { code: 'part-differs', message: 'Line 2 cannot be read: "n" is not int64' } },
    })
    expect(await json('load', 'shop.people', 'year=2029')).toMatchObject({
      json: { error: { code: 'partition-empty' } },
    })
  })

  it('takes Parquet of other writers, and zipped text', async () => {
    const duckdb = await DuckDBInstance.create(':memory:')
    const connection = await duckdb.connect()
    await connection.run(
      `copy (select 'a' as id, 7::int as small, 1152921504606846977::bigint as big, date '2026-06-30' as day, 1.25::decimal(9,2) as price,
        timestamptz '2026-06-30 06:00:00.123456Z' as at, [1, null, 3] as list, map {'x': 0.5::double} as shares, {'a': 1} as deep)
        to '${file('duck.parquet')}' (format parquet, compression zstd)`,
    )
    connection.closeSync()
    duckdb.closeSync()
    await json('store', 'duck.parquet', 'shop.duck', 'all', '--create')
    const { json: loaded } = await json('load', 'shop.duck', 'all')
    const [day, at] = [Date.UTC(2026, 5, 30), Date.UTC(2026, 5, 30, 6, 0, 0, 123)]
    const lists = { list: [1, null, 3], shares: { x: 0.5 }, deep: { a: 1 } }
    expect(loaded.rows).toEqual([{ id: 'a', small: 7, big: '1152921504606846977', day, price: 1.25, at, ...lists }])
    const { json: shown } = await json('show', 'shop.duck')
    expect(shown.columns.slice(1).map(({ type }: { type: string }) => type)).toEqual([
      'int64',
      'int64',
      'timestamp',
      'double',
      'timestamp',
      'list<int64>',
      'map<string,double>',
      'json',
    ])
    await writeFile(file('zipped.csv.gz'), gzipSync('\uFEFFn\n1\n2.5\n'))
    await json(
      'store',
      'zipped.csv.gz',
      'shop.zipped',
      'all',
      '--create',
      '--format',
      'ndjson.gz',
      '--type',
      'n=double',
    )
    expect((await json('load', 'shop.zipped')).json.rows).toEqual([{ n: 1 }, { n: 2.5 }])
  })

  it.each([
    [['store', 'users.txt', 'shop.people', '2026'], 2, 'usage'],
    [['store', 'nothing.csv', 'shop.people', '2026'], 1, 'file-not-found'],
    [['store', 'users.csv', 'shop', '2026'], 2, 'usage'],
    [['store', 'users.csv', 'shop.people'], 2, 'usage'],
    [['store', 'users.csv', 'shop.people', 'year=2026', '--key', 'year=2026'], 2, 'usage'],
    [['store', 'users.csv', 'shop.people', '--key', 'month=06'], 2, 'usage'],
    [['store', 'users.csv', 'shop.people', '--key', 'year'], 2, 'usage'],
    [['store', 'users.csv', 'shop.other', 'a', '--create', '--type', 'n=number'], 2, 'usage'],
    [['store', 'users.csv', 'shop.other', 'a', '--create', '--format', 'orc'], 2, 'usage'],
    [['load', 'shop.people', '--batch', 'x'], 2, 'usage'],
    [['load', 'shop.people', '--as-of', 'yesterday'], 2, 'usage'],
    [['load', 'shop.people', '--as-of', '2026-06-30T06:00:00Z', '--anchor', 'a'], 2, 'usage'],
    [['load', 'shop.people', '--format', 'xml'], 2, 'usage'],
    [['load', 'shop.people', '--format', 'csv'], 2, 'usage'],
    [['load', 'shop.people', '--anchor', 'nobody'], 1, 'anchor-not-found'],
    [['load', 'shop.people', 'year=2026', '--columns', 'id,age'], 1, 'column-not-found'],
    [['show', 'shop.nothing'], 1, 'table-not-found'],
  ])('%j is exit %i: %s', async (words, exitCode, code) => {
    expect(await json(...words)).toMatchObject({ exitCode, json: { error: { code } } })
  })
})

describe('load, list and show', () => {
  const ref = { db: 'shop', table: 'days', partition: 'day=2026-06-30' }
  const WHO = { who: 'ana', why: 'nightly' }
  let first: string
  let betweenMs: number

  beforeAll(async () => {
    const { catalog } = shop.connection
    const columns = [
      { name: 'id', type: 'string' },
      { name: 'n', type: 'int64' },
    ] as const
    await catalog.createTable(ref, { columns, format: 'parquet', owner: 'ana', about: 'By day' })
    await storeRows(catalog, { ...ref, partition: 'day=2026-06-29' }, { rows: [], ...WHO })
    const rows = [{ id: 'a', n: 1 }, { id: 'b, "c"', n: 2n ** 60n }, { id: '' }]
    const entry = await storeRows(catalog, ref, { rows, partRowsMax: 2, ...WHO })
    first = entry.batchId
    betweenMs = entry.at
    await catalog.anchor(ref, { anchor: 'report', ...WHO })
    await new Promise(resolve => setTimeout(resolve, 5))
    await storeRows(catalog, ref, { rows: [{ id: 'z', n: 9 }], ...WHO })
  })

  it('load takes the batch of an anchor or of an instant', async () => {
    const asOf = new Date(betweenMs).toISOString()
    for (const choice of [
      ['--anchor', 'report'],
      ['--as-of', asOf],
      ['--batch', first],
    ]) {
      expect((await json('load', 'shop.days', ...choice)).json).toMatchObject({ batchId: first, total: 3 })
    }
    expect((await json('load', 'shop.days')).json.rows).toEqual([{ id: 'z', n: 9 }])
  })

  it('load writes rows as text for the next command of a pipe', async () => {
    const csv = await millrace('load', 'shop.days', '--anchor', 'report', '--format', 'csv')
    expect(csv).toMatchObject({ exitCode: 0, stdout: `id,n\na,1\n"b, ""c""",${2n ** 60n}\n"",\n` })
    const lines = await millrace(
      'load',
      'shop.days',
      '--anchor',
      'report',
      '--format',
      'ndjson',
      '--columns',
      'n',
      '--limit',
      '2',
    )
    expect(lines.stdout).toBe(`{"n":1}\n{"n":"${2n ** 60n}"}\n`)
  })

  it('load writes files of another format, or with some columns, and as they are with their manifest', async () => {
    const anchored = ['load', 'shop.days', '--anchor', 'report', '--out']
    expect((await json(...anchored, 'ndjson', '--format', 'ndjson')).json).toMatchObject({ parts: 2, rows: 3 })
    expect((await readdir(file('ndjson'))).sort()).toEqual(['part-00000.ndjson.gz', 'part-00001.ndjson.gz'])
    await json(...anchored, 'some', '--columns', 'n')
    expect((await readdir(file('some'))).sort()).toEqual(['part-00000.parquet', 'part-00001.parquet'])
    await json('store', 'some/part-00000.parquet', 'shop.some', 'all', '--create')
    expect((await json('load', 'shop.some')).json.rows).toEqual([{ n: 1 }, { n: String(2n ** 60n) }])
    await json(...anchored, 'whole')
    expect((await readdir(file('whole'))).sort()).toEqual(['manifest.json', 'part-00000.parquet', 'part-00001.parquet'])
    expect(JSON.parse(await readFile(file('whole/manifest.json'), 'utf8'))).toMatchObject({ batchId: first })
  })

  it('load shows the checksum of values, whatever the format', async () => {
    const people = ['load', 'shop.people', 'year=2026']
    const { json: before } = await json(...people, '--checksum')
    expect(before).toMatchObject({ rows: 3, checksum: expect.stringMatching(/^[0-9a-f]{64}$/) })
    await json(...people, '--format', 'csv', '--out', 'csv')
    await json('store', 'csv/part-00000.csv.gz', 'shop.copy', 'a', '--create', '--format', 'ndjson.gz')
    expect((await json('load', 'shop.copy', 'a', '--checksum')).json.checksum).toBe(before.checksum)
    const { json: fewer } = await json(...people, '--checksum', '--columns', 'id,n')
    expect(fewer.checksum).not.toBe(before.checksum)
  })

  it('list names every table, and show what is current in its partitions', async () => {
    const { json: all } = await json('list', '--db', 'shop')
    expect(all.tables).toContainEqual(
      expect.objectContaining({ table: 'shop.days', format: 'parquet', about: 'By day' }),
    )
    expect((await json('list', '--db', 'nobody')).json.tables).toEqual([])
    expect((await millrace('list')).stdout).toMatch(/^table .*\n(.*\n)*shop\.days +parquet +2 +ana +By day\n/)
    const { json: shown } = await json('show', 'shop.days', '--limit', '1')
    expect(shown).toMatchObject({
      owner: 'ana',
      partitionCount: 2,
      partitions: [{ partition: ref.partition, rows: 1 }],
    })
    const { stdout } = await millrace('show', 'shop.days')
    expect(stdout).toMatch(/^shop\.days: By day\n {2}format parquet, owner ana, partitions any name\n/)
    expect(stdout).toMatch(/\nday=2026-06-30 .* 1 +\d+ +\S+Z +\d+ s +ana +hot\nday=2026-06-29 .* 0 +0 /)
  })
})
