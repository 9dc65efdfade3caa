// `archive import` and `archive compact` as a person calls them, on the local cloud's DynamoDB and S3.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { openHistory } from '../../src/archive/open-history.ts'
import { writeParquet } from '../../src/catalog/parquet-rows.ts'
import { readAll } from '../archive/history-world.ts'
import { recordsAt } from '../archive/factories.ts'
import { call, jsonOf, openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, number, pipeline, sum } from 'millrace'
const order = event('order', { id: 'id', user: 'customer.id', time: 'at', lateness: '1h', fields: { amount: number({ scale: 2 }) } })
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', features: features({ spent: sum(order, 'amount'), visits: count(visit) }), models: [] })
`
const AT = Date.UTC(2026, 0, 2, 3)

let shop: Shop

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['users', 'archive'] })
})

afterAll(() => shop.close())

const millrace = (...words: string[]) => shop.millrace(...words)

async function millraceJson(...words: string[]) {
  return jsonOf(await millrace(...words, '--json'))
}

async function history() {
  const opened = await openHistory({ ...shop.connection, db: 'shop', spoolDir: shop.folder })
  const read = await readAll(opened)
  await opened.close()
  return { ...opened, ...read }
}

const user = async (name: string) => (await millraceJson('users', 'get', name)).json

describe('archive import', () => {
  const rows = Array.from({ length: 30 }, (_, n) => ({
    No: n,
    'customer.id': `parquet-${n % 3}`,
    at: AT + n * 60_000,
    amount: n / 4,
  }))

  beforeEach(async () => {
    const columns = [
      { name: 'No', type: 'int64' },
      { name: 'customer_id', type: 'string' },
      { name: 'at', type: 'timestamp' },
      { name: 'amount', type: 'double' },
    ] as const
    const named = rows.map(({ 'customer.id': customer_id, ...rest }) => ({ ...rest, customer_id }))
    await writeFile(join(shop.folder, 'orders.parquet'), writeParquet(columns, named))
  })

  const parquet = [
    'archive',
    'import',
    '--event',
    'order',
    '--map',
    'id=No',
    '--map',
    'user=customer_id',
    'orders.parquet',
  ]

  it('brings in Parquet: users that are new are served at once', async () => {
    const { json } = await millraceJson(...parquet)
    expect(json).toMatchObject({ partition: 'import=orders', events: 30, users: 3, usersWritten: 3, refused: {} })
    const { imports, imported } = await history()
    expect(imports).toEqual([json['batchId']])
    expect(imported.map(({ text }) => JSON.parse(text) as unknown)).toContainEqual({
      id: 7,
      customer: { id: 'parquet-1' },
      at: '2026-01-02T03:07:00.000Z',
      amount: 1.75,
      type: 'order',
    })
    expect(await user('parquet-1')).toMatchObject({ features: { values: { spent: 36.25, visits: 0 } } })
  })

  it('under the same name supersedes, and says that users who exist are to be rebuilt', async () => {
    const { stdout } = await millrace(...parquet)
    expect(stdout).toMatch(/It supersedes batch \d{14}-/)
    expect(stdout).toContain('0 users got their first item; 3 had one before')
    expect(stdout).toContain('Next: `millrace backfill`')
    expect((await history()).imports).toHaveLength(1)
  })

  it('brings in CSV, reports what is refused with its row, and keeps it', async () => {
    const csv = [
      'id,user,time,amount,note',
      '1,csv-1,2026-01-02T03:04:05Z,2.5,"a, b"',
      '2,csv-1,yesterday,1,',
      '3,csv-2,2026-01-02T03:04:05Z,x,',
    ]
    await writeFile(join(shop.folder, 'more.csv.gz'), gzipSync(`${csv.join('\r\n')}\r\n`))
    const { stdout, exitCode } = await millrace('archive', 'import', '--event', 'order', 'more.csv.gz')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('1 of 3 events of 1 users: batch ')
    expect(stdout).toMatch(/1 refused, time-invalid: first .*more\.csv\.gz, row 2: order: the time at "at" /)
    expect(stdout).toMatch(/1 refused, contract: first .*more\.csv\.gz, row 3: order: the field amount /)
    expect(await user('csv-1')).toMatchObject({ features: { values: { spent: 2.5 } } })
    const texts = (await history()).imported.filter(({ bucket }) => bucket === 0).map(({ text }) => text)
    expect(texts.filter(text => text.includes('yesterday') || text.includes('"x"'))).toHaveLength(2)
  })

  it('brings in NDJSON as it is, with the type where it has none; another type is refused and not kept', async () => {
    const event = (id: number, more: object = {}) => ({
      id,
      user: 'json-1',
      at: new Date(AT + id).toISOString(),
      ...more,
    })
    const lines = [
      event(1, { type: 'visit' }),
      event(2),
      event(3, { type: 'order', customer: { id: 'another' }, amount: 1 }),
    ]
    await writeFile(join(shop.folder, 'visits.ndjson'), lines.map(line => `${JSON.stringify(line)}\n`).join(''))
    const { json } = await millraceJson(
      'archive',
      'import',
      '--event',
      'visit',
      '--name',
      'old-visits',
      'visits.ndjson',
    )
    expect(json).toMatchObject({ partition: 'import=old-visits', refused: { 'unknown-type': { count: 1 } } })
    expect(await user('json-1')).toMatchObject({ features: { values: { visits: 2 } } })
    const texts = (await history()).imported.map(({ text }) => text)
    expect(texts).toContain(JSON.stringify(lines[0]))
    expect(texts.some(text => text.includes('another'))).toBe(false)
  })

  it('brings in NDJSON byte for byte, and nothing of it that the stream would refuse', async () => {
    const at = new Date(AT).toISOString()
    const exact = `  {"id": 1, "user":"json-2", "at":"${at}", "big":12345678901234567890, "rate":1.10}`
    const twice = `{"id":2,"user":"json-2","at":"${at}","id":3}`
    const latin = Buffer.from(`{"id":4,"user":"josé","at":"${at}"}`, 'latin1')
    const lines = [exact, twice, '{}'].flatMap(line => [Buffer.from(line), Buffer.from('\n')])
    await writeFile(join(shop.folder, 'exact.ndjson'), Buffer.concat([...lines, latin]))
    const { json } = await millraceJson('archive', 'import', '--event', 'visit', 'exact.ndjson')
    expect(json).toMatchObject({
      events: 4,
      users: 1,
      refused: { 'duplicate-key': { count: 1 }, 'not-utf8': { count: 1 }, contract: { count: 1 } },
    })
    const texts = (await history()).imported.map(({ text }) => text)
    expect(texts).toContain(exact.replace('  {', '{"type":"visit",'))
    expect(texts).toContain('{"type":"visit"}')
  })

  it('is withdrawn, and rolled back like any other batch', async () => {
    const before = (await history()).imports
    const { json } = await millraceJson('archive', 'import', '--withdraw', 'orders', '--why', 'wrong export')
    expect(before).toContain(json['withdrawn'])
    expect((await history()).imports).toEqual(before.filter(id => id !== json['withdrawn']))
    expect((await millraceJson('archive', 'import', '--withdraw', 'orders')).json).toMatchObject({
      error: { code: 'import-not-found' },
    })
    await millrace('table', 'rollback', 'shop.imported_events', 'import=orders', String(json['withdrawn']))
    expect((await history()).imports).toEqual(before)
  })

  it('changes nothing in a dry run', async () => {
    const before = (await history()).imports
    const { stdout } = await millrace(...parquet, '--name', 'dry', '--dry-run')
    expect(stdout).toContain('Would import 30 of 30 events as shop.imported_events/import=dry')
    expect((await millrace('archive', 'import', '--withdraw', 'orders', '--dry-run')).stdout).toContain(
      'Would take batch',
    )
    expect((await history()).imports).toEqual(before)
  })

  it('says what is wrong with a command line or a file', async () => {
    const error = async (...words: string[]) => (await millrace('archive', 'import', ...words)).stderr
    expect(await error('--event', 'order')).toContain('No file is given')
    expect(await error('--event', 'order', 'a.csv', 'b.csv')).toContain('--name is missing')
    expect(await error('orders.parquet')).toContain('--event is missing')
    expect(await error('--event', 'ordr', 'orders.parquet')).toContain('Did you mean order?')
    expect(await error('--event', 'order', 'gone.csv')).toContain('There is no file')
    expect(await error('--event', 'order', '--map', 'id', 'orders.parquet')).toContain('--map is "id"')
    expect(await error('--event', 'order', '--map', 'id=Nr', 'orders.parquet')).toContain('has no column "Nr"')
    const twice = ['--map', 'id=No', '--map', 'id=at', 'orders.parquet']
    expect(await error('--event', 'order', ...twice)).toContain('--map has two columns for id')
    expect(await error('--event', 'order', '--map', 'id=No', 'visits.ndjson')).toContain('no columns that --map could')
    await writeFile(
      join(shop.folder, 'latin.csv'),
      Buffer.from('id,user,time,amount\n1,josé,2026-01-02T03:04:05Z,1\n', 'latin1'),
    )
    expect(await error('--event', 'order', 'latin.csv')).toContain('The CSV is not UTF-8')
    expect(await error('--event', 'order', '--map', 'id=Nr', 'more.csv.gz')).toContain('more.csv.gz has no column "Nr"')
    expect(await error('--event', 'order', '--name', '../x', 'orders.parquet')).toContain(
      'cannot be the name of an import',
    )
    expect(await error('--withdraw', 'orders', 'orders.parquet')).toContain('--withdraw takes no files')
  })
})

describe('archive compact', () => {
  it('writes the hours that are over, once, and what is read is the same before and after', async () => {
    const records = recordsAt(0, 20).map(record => ({ ...record, arrivalMs: record.arrivalMs - 9 * 365 * 86_400_000 }))
    await archiveBatch(records, shop.connection.archive)
    expect((await history()).records).toEqual(records)
    // Its objects are a moment old, and an hour that is still written to waits.
    expect((await millrace('archive', 'compact')).stdout).toContain('Nothing to compact')
    const clock = () => Date.now() + 3_600_000
    const later = async (...words: string[]) => {
      const options = { cwd: shop.folder, env: { ...shop.aws.env, USER: 'ana' }, clock }
      return call(['archive', 'compact', ...words], options)
    }
    expect((await later('--dry-run')).stdout).toContain('hour=2017-01-04T12: 1 more raw objects\nWould write 1 hour')
    expect(await later()).toMatchObject({
      stdout: 'Wrote 1 hour of shop.events\n',
      stderr: expect.stringContaining('hour=2017-01-04T12: 1 more raw objects, 20 records: batch 2') as unknown,
    })
    expect((await later()).stdout).toContain('Nothing to compact')
    const { records: read, inputs } = await history()
    expect(read).toEqual(records)
    expect(inputs).toContainEqual(expect.objectContaining({ partition: 'hour=2017-01-04T12' }))
  })
})
