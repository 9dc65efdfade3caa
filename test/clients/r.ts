// The R client against a cloud: DynamoDB and S3 of the local cloud, the catalogue over HTTP before them, a snapshot and a table of every
// column type. What R writes is read here, value by value. Run by clients/r/check.sh as `node --conditions=millrace-source test/clients/r.ts`,
// with R_LIBS naming where the package is installed.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import type { Column, Row } from '../../src/catalog/columns.ts'
import type { TableRef } from '../../src/catalog/names.ts'
import { purgeBatches } from '../../src/catalog/purge-batches.ts'
import { readTableBatches } from '../../src/catalog/table-batches.ts'
import { rowsOf, storeRows } from '../../src/catalog/table-rows.ts'
import { valuesChecksum } from '../../src/catalog/values-checksum.ts'
import { clientOptions } from '../../src/compose/clients.ts'
import { type Connection, connect } from '../../src/compose/connect.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { s3PresignedUrls } from '../../src/platform/s3-presigned-urls.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import type { ApiGatewayResult } from '../../src/serve/api-gateway.ts'
import { catalogHttp } from '../../src/serve/catalog-http.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { type GatewayHandler, httpGateway } from '../fakes/http-gateway.ts'
import { startLocalAws } from '../fakes/local-aws.ts'
import { START } from '../features/factories.ts'
import { countingPredictor, harness, orderRecord, shop } from '../recompute/harness.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const R_CLIENT = join(ROOT, 'clients', 'r')
const USERS = 5_000
const TOKEN = 'let-me-in'
const REASON = { who: 'ana', why: 'for R', inputs: [] }
const COLUMNS = [
  { name: 'id', type: 'string' },
  { name: 'at', type: 'timestamp' },
  { name: 'n', type: 'int64' },
  { name: 'x', type: 'double' },
  { name: 'ok', type: 'boolean' },
  { name: 'words', type: 'list<string>' },
  { name: 'counts', type: 'map<string,int64>' },
  { name: 'j', type: 'json' },
] as const satisfies readonly Column[]
const LAST = 2_000

const ROWS: readonly Row[] = [
  {
    id: 'b',
    at: 1_000,
    n: 2n ** 60n,
    x: 0.1,
    ok: true,
    words: ['a,"', null],
    counts: { ü: 1, b: null },
    j: { b: [1, null], a: 'x' },
  },
  { id: '\\N\t\r\n', at: null, n: -1, x: -0, ok: false, words: [], counts: {}, j: '\\N' },
  { id: '', at: null, n: null, x: null, ok: null, words: null, counts: null, j: null },
  {
    id: '\u{1F600}\u{FFFD}\u0001',
    at: -1,
    n: 1n - 2n ** 63n,
    x: 5e-324,
    ok: null,
    words: [''],
    counts: { 'a"': 2n ** 62n },
    j: [[], {}],
  },
  ...Array.from({ length: LAST }, (_, index) => ({
    id: `user-${index % 300}`,
    at: START + index * 1_001,
    n: index * 1e9,
    x: index / 7,
    ok: index % 3 === 0,
    words: [`w${index % 4}`, 'v'],
    counts: { [`k${index % 3}`]: index },
    j: index % 2 === 0 ? index : { index },
  })),
]

/** As tests/cloud/test-tables.R writes them. */
const FROM_R: readonly Row[] = [
  {
    id: 'ä',
    at: Date.parse('2026-01-02T03:04:05.678Z'),
    n: 2n ** 60n,
    x: 0.1,
    ok: true,
    kind: 'low',
    words: ['a', null],
    counts: { b: 1 },
    j: { a: [1, 2], b: 'x' },
  },
  { id: '"\\\n', at: null, n: -7, x: -0, ok: false, kind: 'high', words: [], counts: {}, j: [] },
  { id: null, at: null, n: null, x: null, ok: null, kind: null, words: null, counts: null, j: null },
]

/** Whether a reader was given URLs of `team.old_urls` that have run out. */
let oldUrlsGiven = false
const folder = mkdtempSync(join(tmpdir(), 'millrace-r-'))
const aws = await startLocalAws()
const names = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })
await aws.createCatalog(names)
const connection = connect({ pipeline: 'shop', stage: 'dev', env: aws.env })
const s3 = new S3Client({ ...clientOptions(aws.env), forcePathStyle: true })
const gateway = await httpGateway(routes())
try {
  const facts = await fill(connection)
  writeFileSync(join(folder, 'facts.json'), JSON.stringify(facts))
  await run(['Rscript', '--vanilla', join(R_CLIENT, 'tests', 'cloud', 'run.R'), folder])
  await readWhatRWrote(connection)
  await twoLines()
} finally {
  await gateway.close()
  s3.destroy()
  connection.close()
  await aws.stop()
  rmSync(folder, { recursive: true })
}

/** As API Gateway with an authorizer: signed for it, or with the token. */
function routes(): Readonly<Record<string, GatewayHandler>> {
  const handle = catalogHttp({
    ...connection,
    urls: s3PresignedUrls({ client: s3, bucket: names.catalogBucket }),
    reserved: new Set(['models', 'shop']),
    report: error => console.error(error),
  })
  const signed = /^AWS4-HMAC-SHA256 Credential=tester\/\d{8}\/eu-central-1\/execute-api\/aws4_request, /
  const authorized: GatewayHandler = async event => {
    const authorization = event.headers['authorization'] ?? ''
    if (signed.test(authorization) || authorization === `Bearer ${TOKEN}`) return handle(event)
    return { statusCode: 403, headers: {}, body: '{"message":"Forbidden"}', isBase64Encoded: false }
  }
  const table = '/catalog/tables/{table}'
  const read: GatewayHandler = async event => beside(event.pathParameters?.['table'], await authorized(event))
  const more = ['history', 'uploads', 'commits', 'rollbacks'].map(route => `${table}/${route}`)
  const others = Object.fromEntries(['/catalog/tables', table, ...more].map(route => [route, authorized]))
  return { ...others, [`${table}/batch`]: read }
}

/** What happens between the answer and the reader's next request: the batch is purged, or the URLs run out, this once or each time. */
async function beside(table: string | undefined, answer: ApiGatewayResult): Promise<ApiGatewayResult> {
  if (answer.statusCode !== 200) return answer
  if (table === 'team.going') await purge({ db: 'team', table: 'going' })
  const isOld = table === 'team.never_there' || (table === 'team.old_urls' && !oldUrlsGiven)
  if (!isOld) return answer
  oldUrlsGiven ||= table === 'team.old_urls'
  const body = Buffer.from(answer.body, answer.isBase64Encoded ? 'base64' : 'utf8').toString('utf8')
  return { ...answer, body: body.replaceAll('/part-', '/was-part-'), isBase64Encoded: false }
}

async function purge(ref: TableRef): Promise<void> {
  const { batches } = await readTableBatches(connection.catalogStores.store, ref)
  await purgeBatches(
    { ...connection.catalogStores, clock: connection.clock, writeReceipt: async () => undefined },
    ref,
    { batches: [...batches.values()], who: 'ana', why: 'nobody reads it', keptBecause: () => () => undefined },
  )
}

/** Last night's snapshot, and every type in each format. What R has to find is in the answer. */
async function fill({ catalog }: Connection): Promise<object> {
  const memory = harness()
  const orders = Array.from({ length: USERS }, (_, index) => orderRecord(index, index + 1, { user: `user-${index}` }))
  await memory.deliver(orders)
  const instantMs = START + 40 * DAY_MS
  await takeSnapshot(
    { compiled: compilePipeline(shop), users: memory.users, predictor: countingPredictor([]), catalog },
    { instantMs, who: 'ana', why: 'nightly' },
  )
  for (const [table, format] of [
    ['typed', 'parquet'],
    ['texts', 'ndjson.gz'],
    ['commas', 'csv.gz'],
  ] as const) {
    const ref = { db: 'team', table }
    await catalog.createTable(ref, { columns: COLUMNS, format, owner: 'ana' })
    await storeRows(catalog, { ...ref, partition: '2016' }, { ...REASON, rows: ROWS, partRowsMax: 700 })
  }
  for (const table of ['going', 'old_urls', 'never_there']) {
    const ref = { db: 'team', table }
    await catalog.createTable(ref, { columns: COLUMNS, format: 'ndjson.gz', owner: 'ana' })
    await storeRows(catalog, { ...ref, partition: '2016' }, { ...REASON, rows: ROWS.slice(0, 1) })
  }
  const [partition] = await catalog.partitions({ db: 'shop', table: 'users' })
  if (partition === undefined) throw new Error('There is no snapshot')
  return {
    token: TOKEN,
    old: 'b',
    users: USERS,
    snapshot: { partition: partition.partition, checksum: await checksum('shop', 'users', partition.partition) },
    typed: { rows: ROWS.length, checksum: await checksum('team', 'typed', '2016') },
  }
}

/** What R's tests have stored, against what it says there and against values that are written down here. */
async function readWhatRWrote({ catalog }: Connection): Promise<void> {
  const said = JSON.parse(readFileSync(join(folder, 'written.json'), 'utf8')) as Record<string, string>
  strictEqual(Object.keys(said).length >= 3, true)
  for (const [place, sum] of Object.entries(said)) {
    const [, db = '', table = '', partition = ''] = /^([^.]+)\.([^/]+)\/(.+)$/.exec(place) ?? []
    strictEqual(await checksum(db, table, partition), sum, `${place} has other values than R says`)
  }
  for (const table of ['from_r', 'commas_from_r']) {
    const rows: Row[] = []
    for await (const row of rowsOf(await catalog.load({ db: 'team', table, partition: 'exact' }))) rows.push(row)
    deepStrictEqual(rows, FROM_R)
  }
  const commas = await catalog.load({ db: 'team', table: 'commas_from_r', partition: 'exact' })
  strictEqual(commas.manifest.format, 'csv.gz')
}

async function checksum(db: string, table: string, partition: string): Promise<string> {
  const batch = await connection.catalog.load({ db, table, partition })
  return valuesChecksum(batch.manifest.columns, rowsOf(batch))
}

/** The README's two lines in a new process, as somebody would run them. */
async function twoLines(): Promise<void> {
  const readme = readFileSync(join(R_CLIENT, 'README.md'), 'utf8')
  const [, block = ''] = /```r\n(library\(millrace\)\n[^\n]*sf_reader\([^\n]*\n)```/.exec(readme) ?? []
  strictEqual(block.trim().split('\n').length, 2, 'The README has the two lines of a snapshot')
  const code = `${block.replace('"flights"', '"shop"')}cat(nrow(users), "users,", ncol(users), "columns,")\n`
  const script = join(folder, 'two-lines.R')
  const timed = (text: string) => text.replace(/^users <- (.*\))/m, 'took <- system.time(users <- $1)')
  writeFileSync(
    script,
    `${timed(code)}cat(sprintf(" read in %.2f s (%.2f s of CPU);", took[["elapsed"]], took[["user.self"]]))\n`,
  )
  const startMs = performance.now()
  const output = await run(['Rscript', '--vanilla', script])
  const seconds = ((performance.now() - startMs) / 1000).toFixed(2)
  if (!output.includes(`${USERS} users`)) throw new Error(`The two lines said ${output}`)
  console.log(`Two lines of R: ${output} ${seconds} s with the start of R`)
}

function run([command = '', ...words]: readonly string[]): Promise<string> {
  const credentials = { AWS_ACCESS_KEY_ID: 'tester', AWS_SECRET_ACCESS_KEY: 'tester', AWS_REGION: 'eu-central-1' }
  const env = { ...process.env, ...credentials, MILLRACE_API: gateway.url, MILLRACE_TOKEN: '' }
  return new Promise((done, reject) => {
    const child = spawn(command, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => void (said += chunk.toString('utf8')))
    child.on('error', reject)
    child.on('close', code => {
      if (words.length > 2) process.stdout.write(said)
      if (code === 0) done(said)
      else reject(new Error(`${command} ended with ${code}\n${said}`))
    })
  })
}
