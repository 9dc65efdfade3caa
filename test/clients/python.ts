// The Python client against a cloud: DynamoDB and S3 of the local cloud, a pipeline's folder with the command in it, and a few
// archived orders. Run by clients/python/check.sh as `node --conditions=millrace-source test/clients/python.ts PYTHON`.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import type { Catalog } from '../../src/catalog/catalog.ts'
import type { Column, Row } from '../../src/catalog/columns.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { valuesChecksum } from '../../src/catalog/values-checksum.ts'
import { connect } from '../../src/compose/connect.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { startLocalAws } from '../fakes/local-aws.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const PIPELINE = `
import { count, event, features, last, model, number, pipeline, sum, text, topK } from '${join(ROOT, 'src', 'api', 'index.ts')}'
const order = event('order', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: { amount: number({ scale: 2 }), item: text() } })
const customer = features({
  spent: sum(order, 'amount'), orders7d: count(order, { within: '7d' }), lastItem: last(order, 'item'), items: topK(order, 'item', { k: 2 }),
})
const churn = model('churn', { from: customer, inputs: ['spent', 'orders7d'], owner: 'ana', about: 'Who leaves.' })
export default pipeline({ name: 'shop', features: customer, models: [churn] })
`

const [, , python = 'python3'] = process.argv
const folder = mkdtempSync(join(tmpdir(), 'millrace-python-'))
const aws = await startLocalAws()
let valuesChecksumHex = ''
try {
  await fill()
  const suite = join(ROOT, 'clients', 'python', 'tests', 'cloud', ...process.argv.slice(3))
  process.exitCode = await run([resolve(python), '-m', 'pytest', '--rootdir', join(ROOT, 'clients', 'python'), suite])
} finally {
  await aws.stop()
  rmSync(folder, { recursive: true })
}

async function fill(): Promise<void> {
  mkdirSync(join(folder, 'src', 'pipeline'), { recursive: true })
  writeFileSync(join(folder, 'src', 'pipeline', 'index.ts'), PIPELINE)
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true })
  symlinkSync(join(ROOT, 'bin', 'millrace.mjs'), join(folder, 'node_modules', '.bin', 'millrace'))
  const names = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })
  await aws.createUsersTable(names.usersTable)
  await aws.createCatalog(names)
  await aws.createBucket(names.archiveBucket)
  const connection = connect({ pipeline: 'shop', stage: 'dev', env: aws.env })
  const records = [
    order(1, 'ana', { at: '2026-01-02T00:00:00Z', amount: 10, item: 'first' }),
    order(2, 'ben', { at: '2026-01-02T01:00:00Z', amount: 5.5, item: 'only' }),
    order(3, 'ana', { at: '2026-01-02T12:00:00Z', amount: 20, item: 'late' }, '2026-01-04T12:00:00Z'),
  ]
  const { errors } = await archiveBatch(records, connection.archive)
  valuesChecksumHex = await storeValues(connection.catalog)
  connection.close()
  if (errors.length > 0) throw errors[0]
  // As a deploy does last.
  const millrace = join(folder, 'node_modules', '.bin', 'millrace')
  const code = await run([millrace, 'definitions', 'record', '--who', 'the test', '--why', 'deployed'], folder)
  if (code !== 0) throw new Error(`definitions record ended with ${code}`)
}

/** A table of each format with every type of column and values at their edges; returns the checksum of their values. */
async function storeValues(catalog: Catalog): Promise<string> {
  const columns: readonly Column[] = [
    { name: 's', type: 'string' },
    { name: 'n', type: 'int64' },
    { name: 'x', type: 'double' },
    { name: 'b', type: 'boolean' },
    { name: 'at', type: 'timestamp' },
    { name: 'j', type: 'json' },
    { name: 'l', type: 'list<int64>' },
    { name: 'm', type: 'map<string,double>' },
  ]
  const rows: readonly Row[] = [
    {
      s: 'tab\tquote"back\\',
      n: 2n ** 60n,
      x: -0,
      b: true,
      at: -1,
      j: { z: [1e300, null, 'ü'], a: 0.1 },
      l: [1, null],
      m: { b: 1, a: null },
    },
    { s: '', n: -(2n ** 63n), x: 5e-324, b: false, at: 993_924_000_123, j: 'text', l: [], m: {} },
    {},
  ]
  for (const format of ['parquet', 'ndjson.gz', 'csv.gz']) {
    const ref = { db: 'team', table: `of_typescript_${format.replace('.gz', '')}`, partition: 'x' }
    await catalog.createTable(ref, { columns, format, owner: 'ana' })
    await storeRows(catalog, ref, { rows, who: 'the test', why: 'values' })
  }
  return valuesChecksum(columns, rows)
}

interface Order {
  readonly at: string
  readonly amount: number
  readonly item: string
}

function order(n: number, user: string, values: Order, arrival = values.at): StreamRecord {
  const payload = { type: 'order', id: `o${n}`, user, ...values }
  return {
    stream: 'events@1',
    shard: 'shardId-000000000000',
    sequence: String(n),
    arrivalMs: Date.parse(arrival),
    partitionKey: user,
    dataBase64: Buffer.from(JSON.stringify(payload)).toString('base64'),
  }
}

function run([command = '', ...words]: readonly string[], cwd = ROOT): Promise<number> {
  // The command's own first line asks for `node`: this one.
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  const env = {
    ...process.env,
    ...aws.env,
    PATH: path,
    MILLRACE_PIPELINE_DIR: folder,
    MILLRACE_VALUES_CHECKSUM: valuesChecksumHex,
  }
  return new Promise((done, reject) => {
    const child = spawn(command, words, { cwd, env, stdio: 'inherit' })
    child.on('error', reject)
    child.on('close', code => done(code ?? 1))
  })
}
