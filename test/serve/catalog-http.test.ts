// The catalogue over HTTP on the stores that emulate AWS: what a client in any language does, with nothing but requests.
import { createHash } from 'node:crypto'
import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeParquet } from '../../src/catalog/parquet-rows.ts'
import { rowsOf } from '../../src/catalog/table-rows.ts'
import { clientOptions } from '../../src/compose/clients.ts'
import { type Connection, connect } from '../../src/compose/connect.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import { s3PresignedUrls } from '../../src/platform/s3-presigned-urls.ts'
import type { ApiGatewayEvent } from '../../src/serve/api-gateway.ts'
import { catalogHttp } from '../../src/serve/catalog-http.ts'
import { type LocalAws, startLocalAws } from '../fakes/local-aws.ts'

const NAMES = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })
const COLUMNS = [
  { name: 'user_id', type: 'string' },
  { name: 'score', type: 'double' },
] as const
const REASON = { who: 'ana', why: 'a try' }

let aws: LocalAws
let connection: Connection
let s3: S3Client
const reported: unknown[] = []
let call: (method: string, path: string, options?: CallOptions) => Promise<Answer>

interface CallOptions {
  readonly table?: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
}

interface Upload {
  readonly name: string
  readonly bytes: number
  readonly rows: number
  readonly sha256: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

interface Answer {
  readonly status: number
  /** Those of them that the route has. */
  readonly body: {
    readonly batchId: string
    readonly partition: string
    readonly parts: readonly [Upload, ...Upload[]]
    readonly entry: { readonly batchId: string; readonly at: number }
    readonly entries: readonly { readonly number: number }[]
    readonly outcome: string
    readonly detail: string
    readonly next: string
  }
}

beforeAll(async () => {
  aws = await startLocalAws()
  await aws.createCatalog(NAMES)
  connection = connect({ pipeline: 'shop', stage: 'dev', env: aws.env })
  s3 = new S3Client({ ...clientOptions(aws.env), forcePathStyle: true })
  const handle = catalogHttp({
    ...connection,
    urls: s3PresignedUrls({ client: s3, bucket: NAMES.catalogBucket }),
    reserved: new Set(['models', 'shop']),
    report: error => reported.push(error),
  })
  call = async (method, path, { table, query, body } = {}) => {
    const event: ApiGatewayEvent = {
      routeKey: `${method} ${path}`,
      ...(table === undefined ? {} : { pathParameters: { table } }),
      ...(query === undefined ? {} : { queryStringParameters: query }),
      headers: {},
      requestContext: { http: { method } },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      isBase64Encoded: false,
    }
    const answer = await handle(event)
    return { status: answer.statusCode, body: JSON.parse(answer.body) as Answer['body'] }
  }
})

afterAll(async () => {
  s3.destroy()
  connection.close()
  await aws.stop()
})

const TABLE = '/catalog/tables/{table}'
const rows = (...scores: readonly number[]) => scores.map((score, index) => ({ user_id: `u${index}`, score }))
const partOf = (body: Uint8Array, count: number) => ({
  bytes: body.byteLength,
  rows: count,
  sha256: createHash('sha256').update(body).digest('hex'),
})

/** All that a client does to store rows. */
async function storeOverHttp(table: string, partitions: readonly string[], scores: readonly number[]): Promise<Answer> {
  const defined = await call('PUT', TABLE, { table, body: { columns: COLUMNS, owner: 'ana' } })
  expect(defined.status).toBe(200)
  const bytes = writeParquet(COLUMNS, rows(...scores))
  const plan = await call('POST', `${TABLE}/uploads`, {
    table,
    body: { partitions, parts: [partOf(bytes, scores.length)] },
  })
  expect(plan.status).toBe(200)
  const { batchId, partition, parts } = plan.body
  for (const { url, headers } of parts) {
    expect((await fetch(url, { method: 'PUT', headers, body: bytes })).status).toBe(200)
  }
  const stored = parts.map(({ name, ...part }) => ({
    name,
    bytes: part.bytes,
    rows: part.rows,
    sha256: part.sha256,
  }))
  return call('POST', `${TABLE}/commits`, { table, body: { partition, batchId, parts: stored, ...REASON } })
}

test('a batch goes in and comes out by requests alone, and TypeScript reads the same', async () => {
  const committed = await storeOverHttp('team.scores', ['2016'], [0.5, 1])
  expect(committed).toMatchObject({
    status: 200,
    body: { table: 'team.scores', partition: '2016', entry: { number: 1, ...REASON } },
  })
  const found = await call('GET', `${TABLE}/batch`, { table: 'team.scores' })
  expect(found.body).toMatchObject({ partition: '2016', rows: 2, format: 'parquet', columns: COLUMNS, partCount: 1 })
  const [part] = found.body.parts
  const body = new Uint8Array(await (await fetch(part.url)).arrayBuffer())
  expect(partOf(body, 2)).toEqual({ bytes: part.bytes, rows: 2, sha256: part.sha256 })
  const ref = { db: 'team', table: 'scores', partition: '2016' }
  const batch = await connection.catalog.load(ref)
  const read = []
  for await (const row of rowsOf(batch)) read.push(row)
  expect(read).toEqual(rows(0.5, 1))
  expect(batch.record.batchId).toBe(found.body.batchId)
  expect(await call('GET', '/catalog/tables')).toMatchObject({ status: 200, body: { tables: ['team.scores'] } })
  const table = await call('GET', TABLE, { table: 'team.scores' })
  expect(table.body).toMatchObject({
    format: 'parquet',
    owner: 'ana',
    partitions: [{ partition: '2016', current: { number: 1 } }],
  })
})

test('history, a batch by its ID, by an instant and by an anchor, and a rollback', async () => {
  const first = await storeOverHttp('team.rolled', ['2016'], [1])
  await storeOverHttp('team.rolled', ['2016'], [2])
  const table = 'team.rolled'
  const { batchId, at } = first.body.entry
  await connection.catalog.anchor(
    { db: 'team', table: 'rolled', partition: '2016' },
    { anchor: 'report', batchId, ...REASON },
  )
  for (const query of [{ batchId }, { asOf: new Date(at).toISOString() }, { anchor: 'report', partition: '2016' }]) {
    expect((await call('GET', `${TABLE}/batch`, { table, query })).body).toMatchObject({ batchId, anchors: ['report'] })
  }
  const back = await call('POST', `${TABLE}/rollbacks`, { table, body: { partition: '2016', to: batchId, ...REASON } })
  expect(back.body.entry).toMatchObject({ kind: 'rollback', number: 3, batchId })
  const history = await call('GET', `${TABLE}/history`, { table, query: { partition: '2016' } })
  expect(history.body.entries.map(entry => entry.number)).toEqual([3, 2, 1])
  const again = await call('POST', `${TABLE}/rollbacks`, { table, body: { partition: '2016', to: batchId, ...REASON } })
  expect(again).toMatchObject({ status: 409, body: { code: 'already-current' } })
})

test('a writer of some columns takes none away, adds its own, and changes the type of none', async () => {
  await storeOverHttp('team.evolving', ['x'], [1])
  const put = (columns: readonly object[], more: object = {}) =>
    call('PUT', TABLE, { table: 'team.evolving', body: { columns, owner: 'ben', ...more } })
  const added = await put([{ name: 'label', type: 'list<string>' }])
  expect(added.body).toMatchObject({
    outcome: 'changed',
    owner: 'ana',
    columns: [...COLUMNS, { name: 'label', type: 'list<string>' }],
  })
  expect((await put([{ name: 'score', type: 'double' }])).body.outcome).toBe('exists')
  expect(await put([{ name: 'score', type: 'int64' }])).toMatchObject({ status: 409, body: { code: 'table-differs' } })
  expect(await put([], { partitionKeys: ['day'] })).toMatchObject({ status: 409, body: { code: 'table-differs' } })
})

test('nothing is committed of parts that were not put, or are other ones', async () => {
  const table = 'team.checked'
  await call('PUT', TABLE, { table, body: { columns: COLUMNS, owner: 'ana' } })
  const bytes = writeParquet(COLUMNS, rows(1))
  const { body: plan } = await call('POST', `${TABLE}/uploads`, {
    table,
    body: { partitions: ['x'], parts: [partOf(bytes, 1)] },
  })
  const commit = (part: object) =>
    call('POST', `${TABLE}/commits`, {
      table,
      body: {
        partition: 'x',
        batchId: plan.batchId,
        parts: [{ name: plan.parts[0].name, ...partOf(bytes, 1), ...part }],
        ...REASON,
      },
    })
  expect(await commit({})).toMatchObject({ status: 409, body: { code: 'part-differs' } })
  await fetch(plan.parts[0].url, { method: 'PUT', headers: plan.parts[0].headers, body: bytes })
  for (const wrong of [{ rows: 2 }, { bytes: bytes.byteLength + 1 }, { sha256: '0'.repeat(64) }]) {
    expect(await commit(wrong)).toMatchObject({ status: 409, body: { code: 'part-differs' } })
  }
  expect(await call('GET', `${TABLE}/batch`, { table })).toMatchObject({
    status: 404,
    body: { code: 'partition-empty' },
  })
  expect((await commit({})).status).toBe(200)
  // Said twice, as by a client that heard no answer, it is in the history once.
  expect((await commit({})).body.entry).toMatchObject({ number: 1, batchId: plan.batchId })
  expect((await call('GET', `${TABLE}/batch`, { table })).body).toMatchObject({ batchId: plan.batchId, rows: 1 })
})

test('a URL for writing is for these bytes and no others', async () => {
  const bytes = writeParquet(COLUMNS, rows(1))
  const upload = await s3PresignedUrls({ client: s3, bucket: NAMES.catalogBucket }).create(
    'team/x/part-00000.parquet',
    { contentType: 'application/vnd.apache.parquet', bytes: bytes.byteLength, sha256: partOf(bytes, 1).sha256 },
    60,
  )
  const signed = new URL(upload.url).searchParams.get('X-Amz-SignedHeaders')?.split(';')
  expect(signed).toEqual(
    expect.arrayContaining(['content-length', 'content-type', 'if-none-match', 'x-amz-checksum-sha256']),
  )
  expect(upload.headers).toMatchObject({ 'if-none-match': '*', 'content-length': String(bytes.byteLength) })
})

test.each([
  ['PUT', '', { table: 'models.churn', body: { columns: COLUMNS, owner: 'ana' } }, 403, 'table-reserved'],
  [
    'POST',
    '/commits',
    { table: 'shop.users', body: { partition: 'x', batchId: 'x', parts: [], ...REASON } },
    403,
    'table-reserved',
  ],
  [
    'POST',
    '/rollbacks',
    { table: 'models.churn', body: { partition: 'production', to: 'x', ...REASON } },
    403,
    'table-reserved',
  ],
  ['POST', '/uploads', { table: 'shop.users', body: { partitions: ['x'], parts: [] } }, 403, 'table-reserved'],
  ['GET', '', { table: 'team.never' }, 404, 'table-not-found'],
  ['GET', '/batch', { table: 'team.never' }, 404, 'table-not-found'],
  ['GET', '/batch', { table: 'team.never', query: { partition: 'x' } }, 404, 'table-not-found'],
  ['GET', '/batch', { table: 'Team' }, 400, 'name-invalid'],
  ['GET', '/batch', { table: 'team.never', query: { partition: '../x' } }, 400, 'name-invalid'],
  ['GET', '/batch', { table: 'team.never', query: { parition: 'x' } }, 400, 'request-invalid'],
  ['GET', '/batch', { table: 'team.never', query: { partition: 'x', asOf: 'noon' } }, 400, 'request-invalid'],
  ['GET', '/batch', { table: 'team.never', query: { partition: 'x', batchId: '1' } }, 400, 'batch-id-invalid'],
  ['PUT', '', { table: 'team.bad', body: '{' }, 400, 'request-invalid'],
  [
    'PUT',
    '',
    { table: 'team.bad', body: { columns: [{ name: 'a', type: 'text' }], owner: 'ana' } },
    400,
    'request-invalid',
  ],
  [
    'PUT',
    '',
    { table: 'team.bad', body: { columns: [{ name: 'a b', type: 'string' }], owner: 'ana' } },
    400,
    'column-invalid',
  ],
  ['POST', '/uploads', { table: 'team.never', body: { partitions: ['x'], parts: [] } }, 404, 'table-not-found'],
  ['DELETE', '', { table: 'team.scores' }, 404, 'route-unknown'],
] as const)('%s %s of %j is %i %s', async (method, path, options, status, code) => {
  const answer = await call(method, `${TABLE}${path}`, options)
  expect(answer).toMatchObject({ status, body: { code } })
  // What, and what to do: sentences, not words.
  expect(answer.body.detail).toMatch(/\S+ \S+/)
  expect(answer.body.next).toMatch(/\S+ \S+/)
})

test('a batch over the limit is refused before a byte is sent, and what fails inside says nothing of it', async () => {
  const table = 'team.big'
  await call('PUT', TABLE, { table, body: { columns: COLUMNS, owner: 'ana' } })
  const part = { bytes: 64 * 1024 ** 2, rows: 1, sha256: '0'.repeat(64) }
  const uploads = (count: number) =>
    call('POST', `${TABLE}/uploads`, {
      table,
      body: { partitions: ['x'], parts: Array.from({ length: count }, () => part) },
    })
  expect((await uploads(8)).status).toBe(200)
  expect(await uploads(9)).toMatchObject({ status: 400, body: { code: 'request-invalid' } })
  expect(reported).toEqual([])
})
