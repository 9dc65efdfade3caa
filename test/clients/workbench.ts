// The examples of the workbench image against a cloud: DynamoDB and S3 of the local cloud, the catalogue over HTTP before them, and a
// snapshot of some thousand flights. What the examples store is read here. Run by clients/workbench/check.sh as
// `node --conditions=millrace-source test/clients/workbench.ts --python "COMMAND" --r "COMMAND" [--examples FOLDER]`; a command may have words
// before it, as `chroot /image`, and the folder is then as the command sees it.
import { deepStrictEqual, ok, strictEqual } from 'node:assert'
import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { S3Client } from '@aws-sdk/client-s3'
import { flightArrived, inOrderOfArrival, openFlights, routeOf } from '../../demo/flights.ts'
import type { Row } from '../../src/catalog/columns.ts'
import { rowsOf } from '../../src/catalog/table-rows.ts'
import { clientOptions } from '../../src/compose/clients.ts'
import { connect } from '../../src/compose/connect.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import pipeline from '../../src/pipeline/index.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { s3PresignedUrls } from '../../src/platform/s3-presigned-urls.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import type { Predictor } from '../../src/predictions/predictor.ts'
import { catalogHttp } from '../../src/serve/catalog-http.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { httpGateway } from '../fakes/http-gateway.ts'
import { startLocalAws } from '../fakes/local-aws.ts'
import { harness, rawRecord } from '../recompute/harness.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const FLIGHTS = 4_000

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    r: { type: 'string' },
    examples: { type: 'string', default: join(ROOT, 'clients', 'workbench', 'examples') },
  },
})
if (values.python === undefined && values.r === undefined) throw new Error('Give --python, --r or both')
const aws = await startLocalAws()
const names = resourceNames({ pipeline: pipeline.name, stage: 'dev', accountId: LOCAL_ACCOUNT_ID })
await aws.createCatalog(names)
const connection = connect({ pipeline: pipeline.name, stage: 'dev', env: aws.env })
const s3 = new S3Client({ ...clientOptions(aws.env), forcePathStyle: true })
const gateway = await httpGateway(routes())
try {
  const snapshot = await takeSnapshotOfFlights()
  if (values.python !== undefined) await tryNotebook(values.python, snapshot)
  if (values.r !== undefined) await tryR(values.r, snapshot)
} finally {
  await gateway.close()
  s3.destroy()
  connection.close()
  await aws.stop()
}

function routes(): Parameters<typeof httpGateway>[0] {
  const handle = catalogHttp({
    ...connection,
    urls: s3PresignedUrls({ client: s3, bucket: names.catalogBucket }),
    reserved: new Set(['models', pipeline.name]),
    report: error => console.error(error),
  })
  const table = '/catalog/tables/{table}'
  const more = ['history', 'batch', 'uploads', 'commits', 'rollbacks'].map(route => `${table}/${route}`)
  return Object.fromEntries(['/catalog/tables', table, ...more].map(route => [route, handle]))
}

interface Snapshot {
  readonly partition: string
  readonly batchId: string
  readonly routes: ReadonlySet<string>
}

async function takeSnapshotOfFlights(): Promise<Snapshot> {
  const compiled = compilePipeline(pipeline)
  const memory = harness({ compiled, predictor: noModels() })
  const flights = await (await openFlights()).read(0, 0)
  const indices = [...inOrderOfArrival(flights)].filter(index => index < FLIGHTS)
  const arrivals = indices.map(index => flightArrived(flights, index))
  await memory.deliver(
    arrivals.map((arrival, index) =>
      rawRecord(arrival, index + 1, arrival.route, Date.parse(arrival.arrivedAt) + 1_000),
    ),
  )
  const instantMs = Math.max(...arrivals.map(({ arrivedAt }) => Date.parse(arrivedAt))) + DAY_MS / 2
  await takeSnapshot(
    { compiled, users: memory.users, predictor: noModels(), catalog: connection.catalog },
    { instantMs, who: 'the test', why: 'nightly' },
  )
  const [partition] = await connection.catalog.partitions({ db: pipeline.name, table: 'users' })
  if (partition === undefined) throw new Error('There is no snapshot')
  const [entry] = await connection.catalog.history({
    db: pipeline.name,
    table: 'users',
    partition: partition.partition,
  })
  return {
    partition: partition.partition,
    batchId: entry?.batchId ?? '',
    routes: new Set(indices.map(index => routeOf(flights, index))),
  }
}

function noModels(): Predictor {
  const predictor: Predictor = {
    pinned: async () => predictor,
    predict: async bodies => bodies.map(({ asOf }) => ({ predictions: { asOf, models: {} }, models: {} })),
    production: async () => ({}),
  }
  return predictor
}

/** Every cell by a kernel, as Jupyter does it. */
async function tryNotebook(python: string, snapshot: Snapshot): Promise<void> {
  const notebook = join(values.examples, 'first-steps.ipynb')
  const startMs = performance.now()
  await run(`${python} -m nbconvert --to notebook --execute --stdout --log-level=WARN`, [notebook])
  const { rows, inputs } = await stored('route_kinds', snapshot)
  deepStrictEqual(new Set(rows.map(row => row['user_id'])), snapshot.routes)
  ok(new Set(rows.map(row => row['kind'])).size === 3, 'There are three kinds of routes')
  deepStrictEqual(inputs, [
    { table: `${pipeline.name}.users`, partition: snapshot.partition, batchId: snapshot.batchId },
  ])
  report('The notebook', rows, startMs)
}

async function tryR(rscript: string, snapshot: Snapshot): Promise<void> {
  const startMs = performance.now()
  await run(rscript, [join(values.examples, 'first-steps.R')])
  const { rows, why } = await stored('airport_delays', snapshot)
  const origins = new Set([...snapshot.routes].map(route => route.split('-')[0]))
  deepStrictEqual(new Set(rows.map(row => row['origin'])), origins)
  const counted = rows.reduce((total, row) => total + Number(row['routes']), 0)
  strictEqual(counted, snapshot.routes.size)
  for (const row of rows) ok(Number.isFinite(row['effect']) && Number.isFinite(row['mean_delay']), JSON.stringify(row))
  strictEqual(why, `from the snapshot ${snapshot.batchId}`)
  report('The R file', rows, startMs)
}

async function stored(table: string, { partition }: Snapshot) {
  const { manifest, ...batch } = await connection.catalog.load({ db: 'team', table, partition })
  const rows: Row[] = []
  for await (const row of rowsOf({ manifest, ...batch })) rows.push(row)
  return { rows, inputs: manifest.inputs, why: manifest.why }
}

function report(what: string, rows: readonly Row[], startMs: number): void {
  console.log(`${what}: ${rows.length} rows stored, ${((performance.now() - startMs) / 1000).toFixed(1)} s`)
}

function run(command: string, more: readonly string[]): Promise<void> {
  const [first = '', ...words] = [...command.split(' '), ...more]
  const credentials = { AWS_ACCESS_KEY_ID: 'tester', AWS_SECRET_ACCESS_KEY: 'tester', AWS_REGION: 'eu-central-1' }
  const env = {
    ...process.env,
    ...aws.env,
    ...credentials,
    MILLRACE_API: gateway.url,
    MILLRACE_PIPELINE: pipeline.name,
  }
  return new Promise((done, reject) => {
    const child = spawn(first, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => void (said += text))
    }
    child.on('error', reject)
    child.on('close', code => (code === 0 ? done() : reject(new Error(`${command} ended with ${code}:\n${said}`))))
  })
}
