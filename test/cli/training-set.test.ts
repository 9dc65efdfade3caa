// `training-set` as a person calls it, on the local cloud's DynamoDB and S3.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { writeParquet } from '../../src/catalog/parquet-rows.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { toRfc3339 } from '../../src/platform/clock.ts'
import { jsonOf, openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, last, number, pipeline, ratio, sum, text, topK } from 'millrace'
const order = event('order', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: { amount: number({ scale: 2 }), item: text() } })
const orders7d = count(order, { within: '7d' })
export default pipeline({ name: 'shop', features: features({
  spent: sum(order, 'amount'), orders7d, lastItem: last(order, 'item'), items: topK(order, 'item', { k: 2 }),
}), models: [] })
`
const [MINUTE, DAY] = [60_000, 86_400_000]
const AT = Date.UTC(2026, 0, 2, 3)

let shop: Shop

/** The n-th order, a minute on its way unless it is said otherwise. */
function order(n: number, user: string, ts: number, arrivalMs = ts + MINUTE): StreamRecord {
  const payload = { type: 'order', id: `o${n}`, user, at: toRfc3339(ts), amount: n, item: `item ${n % 3}` }
  const dataBase64 = Buffer.from(JSON.stringify(payload)).toString('base64')
  return {
    stream: 'events@1',
    shard: 'shardId-000000000000',
    sequence: `${n}`,
    arrivalMs,
    partitionKey: user,
    dataBase64,
  }
}

const refused = order(9, 'ana', AT + 2 * DAY)

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['users', 'archive'] })
  const stream = [
    order(1, 'ana', AT),
    order(2, 'ben', AT + DAY),
    order(3, 'ana', AT + DAY, AT + 3 * DAY),
    refused,
    order(10, 'ana', AT + 4 * DAY),
  ]
  expect(await archiveBatch(stream, shop.connection.archive)).toMatchObject({ failedSequence: undefined })
  await writeDeadLetters(shop.connection.archive, [
    { record: refused, refusal: { reason: 'late', detail: 'too late' } },
  ])
  const past = { type: 'order', id: 'past', user: 'cy', at: toRfc3339(AT - 30 * DAY), amount: 100, item: 'old' }
  await writeFile(join(shop.folder, 'past.ndjson'), JSON.stringify(past))
  expect(await millrace('archive', 'import', '--event', 'order', 'past.ndjson')).toMatchObject({ exitCode: 0 })
  await writeLabels()
})

afterAll(() => shop.close())

const LABELS = [
  ['dan', AT, true],
  ['ana', AT + 3 * DAY + 1, false],
  ['ana', AT + 3 * DAY, true],
  ['cy', AT, true],
  ['ana', AT + MINUTE, null],
] as const

/** The same rows in three formats. */
async function writeLabels(): Promise<void> {
  const rows = LABELS.map(([user, time, label]) => ({ user, time, label }))
  const csv = rows.map(({ user, time, label }) => `${user},${toRfc3339(time)},${label ?? ''}`)
  await writeFile(join(shop.folder, 'labels.csv'), ['user,time,label', ...csv].join('\n'))
  const ndjson = rows.map(row => JSON.stringify({ ...row, time: toRfc3339(row.time) }))
  await writeFile(join(shop.folder, 'labels.ndjson'), ndjson.join('\n'))
  const columns = [
    { name: 'label', type: 'boolean' },
    { name: 'time', type: 'timestamp' },
    { name: 'user', type: 'string' },
  ] as const
  await writeFile(join(shop.folder, 'labels.parquet'), writeParquet(columns, rows))
}

const millrace = (...words: string[]) => shop.millrace(...words)

async function millraceJson(...words: string[]) {
  return jsonOf(await millrace(...words, '--json'))
}

async function rowsOf(table: string) {
  const { json } = await millraceJson('table', 'load', table, 'all')
  const rows = json['rows'] as Record<string, unknown>[]
  return rows.toSorted((a, b) => Number(a['label_row']) - Number(b['label_row']))
}

describe('millrace training-set', () => {
  it('makes a batch of the labels with what was known a millisecond before each', async () => {
    const { exitCode, json } = await millraceJson('training-set', '--labels', 'labels.csv', '--why', 'churn')
    expect(exitCode).toBe(0)
    expect(json).toMatchObject({
      table: 'shop.training_default',
      partition: 'all',
      rows: 5,
      users: 3,
      usersWithoutEvents: 1,
      events: 4,
      notArrived: 2,
      openLetters: 1,
      rowsNotSettled: 0,
    })
    const rows = await rowsOf('shop.training_default')
    expect(rows.map(row => [row['user_id'], row['time'], row['label']])).toEqual(LABELS)
    expect(rows.map(({ spent, orders7d, lastItem }) => [spent, orders7d, lastItem])).toEqual([
      [0, 0, null],
      [4, 2, 'item 0'],
      [1, 1, 'item 1'],
      [100, 0, 'old'],
      [0, 0, null],
    ])
    expect(rows[3]?.['items']).toEqual({ exact: true, top: [{ key: 'old', value: 1 }] })
    const history = await millrace('table', 'history', 'shop.training_default', 'all')
    expect(history.stdout).toContain(`${String(json['batchId'])}  ana: churn`)
    const { manifest } = await shop.connection.catalog.load({ db: 'shop', table: 'training_default', partition: 'all' })
    expect(manifest.inputs.map(({ table }) => table)).toEqual(['shop.imported_events'])
    expect(manifest.properties).toMatchObject({
      known: 'arrival',
      positions: { 'events@1/shardId-000000000000': '10' },
    })
  })

  it('says what matters to people', async () => {
    const { stdout, stderr } = await millrace('training-set', '--labels', 'labels.csv')
    expect(stdout).toMatch(/^5 rows of 3 users, 1 of them without an event, from 4 events, in \d+\.\d s\nBatch \d{14}-/)
    expect(stdout).toContain('2 events had not arrived by some row after their time')
    expect(stdout).toContain('1 records have an open dead letter')
    expect(stderr).toContain('rows 5/5')
  })

  it('takes CSV, NDJSON and Parquet, whose labels have one hash and whose rows are the same', async () => {
    const hashes = new Set<unknown>()
    for (const format of ['csv', 'ndjson', 'parquet']) {
      const { json } = await millraceJson('training-set', '--labels', `labels.${format}`, '--name', format)
      hashes.add(json['labelsSha256'])
      expect(await rowsOf(`shop.training_${format}`)).toEqual(await rowsOf('shop.training_default'))
    }
    expect(hashes.size).toBe(1)
  })

  it('counts what had happened however late it came with --known all, and some features only', async () => {
    const words = ['--labels', 'labels.csv', '--known', 'all', '--features', 'orders7d, spent', '--name', 'all']
    const { json } = await millraceJson('training-set', ...words)
    expect(json).toMatchObject({ notArrived: 0, features: { orders7d: expect.any(String) as string } })
    const rows = await rowsOf('shop.training_all')
    expect(rows.map(({ spent }) => spent)).toEqual([0, 4, 4, 100, 1])
    expect(Object.keys(rows[0] ?? {})).toEqual(['user_id', 'time', 'label_row', 'label', 'orders7d', 'spent'])
  })

  it('writes the same rows to a file that says what it is, and overwrites none', async () => {
    const words = ['training-set', '--labels', 'labels.csv', '--out', 'out.parquet']
    const { json } = await millraceJson(...words)
    const file = await asyncBufferFromFile(join(shop.folder, 'out.parquet'))
    const rows = await parquetReadObjects({ file })
    expect(new Set(rows.map(row => Number(row['label_row'])))).toEqual(new Set([0, 1, 2, 3, 4]))
    const metadata = (await parquetMetadataAsync(file)).key_value_metadata
    const texts = new Map(metadata?.map(({ key, value }) => [key, value]))
    expect(texts.get('millrace.batch')).toBe(json['batchId'])
    expect(texts.get('millrace.table')).toBe(json['table'])
    expect(texts.get('millrace.partition')).toBe(json['partition'])
    expect(JSON.parse(texts.get('millrace.features') ?? '')).toEqual(json['features'])
    expect((await millraceJson(...words)).json).toMatchObject({ error: { code: 'file-exists' } })
  })

  it('stores nothing in a dry run, and counts the same', async () => {
    const words = ['training-set', '--labels', 'labels.csv', '--name', 'dry', '--out', 'dry.parquet', '--dry-run']
    const { json } = await millraceJson(...words)
    expect(json).toMatchObject({ rows: 5, users: 3, batchId: null, isDryRun: true })
    expect(await shop.connection.catalog.schema({ db: 'shop', table: 'training_dry' })).toBeUndefined()
    expect((await millrace(...words)).stdout).toContain('Would write them to shop.training_dry/all')
  })

  it.each([
    ['a rule that is none', ['--known', 'future'], 2, 'usage'],
    ['a feature that is none', ['--features', 'spend'], 2, 'usage'],
    ['a name that no table has', ['--name', 'A b'], 1, 'training-set-name-invalid'],
    ['a file that is missing', ['--labels', 'none.csv'], 1, 'file-missing'],
    ['a label column that is a column of the table', ['--labels', 'clash.csv'], 1, 'column-invalid'],
    ['labels without a time', ['--labels', 'untimed.csv'], 1, 'instants-invalid'],
    ['no labels', ['--labels', 'empty.csv'], 1, 'labels-empty'],
  ])('refuses %s', async (_, words, expected, code) => {
    await writeFile(join(shop.folder, 'clash.csv'), 'user,time,label_row\nana,2026-01-02T03:04:05Z,1')
    await writeFile(join(shop.folder, 'untimed.csv'), 'user,time\nana,2026-01-02')
    await writeFile(join(shop.folder, 'empty.csv'), 'user,time\n')
    const labels = words.includes('--labels') ? [] : ['--labels', 'labels.csv']
    const { exitCode, json } = await millraceJson('training-set', ...labels, ...words)
    expect({ exitCode, json }).toMatchObject({ exitCode: expected, json: { error: { code } } })
    expect((json['error'] as { next?: string }).next).toMatch(/\w{3}.*[.?]$/)
  })
})
