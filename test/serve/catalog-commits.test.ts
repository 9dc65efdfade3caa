// What is committed over HTTP can be read: whoever put it, and whatever he said of it. On the stores that emulate AWS.
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Column } from '../../src/catalog/columns.ts'
import { writeParquet } from '../../src/catalog/parquet-rows.ts'
import { runRetention } from '../../src/catalog/run-retention.ts'
import { loadRows } from '../../src/catalog/table-rows.ts'
import { clientOptions } from '../../src/compose/clients.ts'
import { type Connection, connect } from '../../src/compose/connect.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import { HOUR_MS } from '../../src/platform/duration.ts'
import { s3PresignedUrls } from '../../src/platform/s3-presigned-urls.ts'
import { catalogHttp } from '../../src/serve/catalog-http.ts'
import { gatewayEvent } from '../fakes/http-gateway.ts'
import { type LocalAws, startLocalAws } from '../fakes/local-aws.ts'

const NAMES = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })
const REASON = { who: 'ana', why: 'a try' }
const TABLE = '/catalog/tables/{table}'
const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'string' },
  { name: 'n', type: 'int64' },
]

interface Upload {
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

interface Answer {
  readonly status: number
  readonly body: {
    readonly code: string
    readonly detail: string
    readonly next: string
    readonly batchId: string
    readonly partition: string
    readonly parts: readonly [Upload, ...Upload[]]
  }
}

let aws: LocalAws
let connection: Connection
let s3: S3Client
let handle: ReturnType<typeof catalogHttp>

beforeAll(async () => {
  aws = await startLocalAws()
  await aws.createCatalog(NAMES)
  connection = connect({ pipeline: 'shop', stage: 'dev', env: aws.env })
  s3 = new S3Client({ ...clientOptions(aws.env), forcePathStyle: true })
  const urls = s3PresignedUrls({ client: s3, bucket: NAMES.catalogBucket })
  handle = catalogHttp({ ...connection, urls, reserved: new Set(['models']), report: error => console.error(error) })
})

afterAll(async () => {
  s3.destroy()
  connection.close()
  await aws.stop()
})

interface Ask {
  readonly table: string
  readonly body?: unknown
  readonly query?: Readonly<Record<string, string>>
}

async function call(method: string, route: string, { table, body, query = {} }: Ask): Promise<Answer> {
  const event = gatewayEvent({
    method,
    route,
    pathParameters: { table },
    query,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer = await handle(event)
  return { status: answer.statusCode, body: JSON.parse(answer.body) as Answer['body'] }
}

interface Put {
  readonly format: string
  readonly body: Uint8Array
  readonly rows: number
  readonly columns?: readonly Column[]
}

/** All that a client does, with what he says of the part. */
async function store(table: string, { format, body, rows, columns = COLUMNS }: Put): Promise<Answer> {
  expect((await call('PUT', TABLE, { table, body: { columns, format, owner: 'ana' } })).status).toBe(200)
  const said = { bytes: body.byteLength, rows, sha256: createHash('sha256').update(body).digest('hex') }
  const plan = await call('POST', `${TABLE}/uploads`, { table, body: { partitions: ['all'], parts: [said] } })
  const { batchId, partition, parts } = plan.body
  const [{ name, url, headers }] = parts
  expect((await fetch(url, { method: 'PUT', headers, body: new Uint8Array(body) })).status).toBe(200)
  return call('POST', `${TABLE}/commits`, {
    table,
    body: { partition, batchId, parts: [{ name, ...said }], ...REASON },
  })
}

const doubles = writeParquet(
  [
    { name: 'id', type: 'string' },
    { name: 'n', type: 'double' },
  ],
  [{ id: 'a', n: 1.5 }],
)

describe('a part that nobody could read', () => {
  test.each<[string, Put, string]>([
    [
      'has other rows than was said',
      { format: 'ndjson.gz', body: gzipSync('{"id":"a","n":1}\n{"id":"b","n":2}\n'), rows: 9 },
      'rows 2 instead of 9',
    ],
    ['is no gzip', { format: 'csv.gz', body: Buffer.from('garbag'), rows: 7 }, 'it is no whole gzip'],
    ['has another type', { format: 'parquet', body: doubles, rows: 1 }, 'the column "n" is DOUBLE, which is not int64'],
    [
      'has a value of another type',
      { format: 'ndjson.gz', body: gzipSync('{"id":"a","n":1}\n{"id":"b","n":"x"}\n'), rows: 2 },
      'line 2 cannot be read: "n" is not int64',
    ],
  ])('is not committed: it %s', async (what, put, said) => {
    const table = `team.${what.replaceAll(/[^a-z]/g, '_')}`
    const answer = await store(table, put)
    expect(answer).toMatchObject({ status: 409, body: { code: 'part-differs' } })
    expect(answer.body.detail).toContain(`part-00000.${put.format}`)
    expect(answer.body.detail).toContain(said)
    expect(answer.body.next).toMatch(/\S+ \S+/)
    expect(await call('GET', `${TABLE}/batch`, { table })).toMatchObject({ body: { code: 'partition-empty' } })
  })
})

test.each<[string, Uint8Array]>([
  ['ndjson.gz', gzipSync('{"id":"a","n":1}\n{"id":null}\n')],
  ['csv.gz', gzipSync('n,id\n1,a\n,\n')],
  ['parquet', writeParquet(COLUMNS, [{ id: 'a', n: 1 }, { id: null }])],
])('a part of %s that can be read is committed', async (format, body) => {
  const table = `team.fine_${format.replace('.', '_')}`
  expect(await store(table, { format, body, rows: 2 })).toMatchObject({ status: 200 })
  const rows: unknown[] = []
  for await (const row of loadRows(connection.catalog, { ...refOf(table), partition: 'all' })) rows.push(row)
  expect(rows).toEqual([
    { id: 'a', n: 1 },
    { id: null, n: null },
  ])
})

test('a part that goes with its batch is gone from its URL, and who asks for the batch again hears why', async () => {
  const table = 'team.purged'
  const body = writeParquet(COLUMNS, [{ id: 'a', n: 1 }])
  await store(table, { format: 'parquet', body, rows: 1 })
  const before = await call('GET', `${TABLE}/batch`, { table })
  const [part] = before.body.parts
  expect((await fetch(part.url)).status).toBe(200)
  await store(table, { format: 'parquet', body, rows: 1 })
  const policy = { keepBatches: 1 }
  // What was made current within the hour is kept.
  const clock = () => Date.now() + 2 * HOUR_MS
  const ports = { ...connection.catalogStores, clock, writeReceipt: async () => undefined }
  const request = { policy, who: 'ana', why: 'the disk is full', pinnedBy: [], isDryRun: false }
  expect((await runRetention(ports, refOf(table), request)).purged).toHaveLength(1)
  expect((await fetch(part.url)).status).toBe(404)
  const { batchId } = before.body
  const again = await call('GET', `${TABLE}/batch`, { table, query: { partition: 'all', batchId } })
  expect(again).toMatchObject({ status: 410, body: { code: 'batch-purged' } })
  expect(again.body.detail).toContain('ana: the disk is full')
  // Without its ID the current one is meant, which is there.
  expect((await call('GET', `${TABLE}/batch`, { table })).status).toBe(200)
})

function refOf(table: string) {
  const [db = '', name = ''] = table.split('.')
  return { db, table: name }
}
