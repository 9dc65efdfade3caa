// A local cloud whose archive has the flights of some routes, and whose catalogue their training set, around a command:
// `stored.ts FOLDER BUCKETS COMMAND...`. The table is also in FOLDER/table.parquet, which says what batch it is. The command finds the
// cloud in AWS_ENDPOINT_URL, and in OTHER_BATCH the ID of another batch, of the first quarter of the rows.
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { delimiter, dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline as streamed } from 'node:stream/promises'
import { type Flights, flightArrived, inOrderOfArrival } from '../../demo/flights.ts'
import { lateLabels } from '../../demo/training-table.ts'
import { startLocalCloud } from '../../localstack/local-cloud.ts'
import { connect } from '../../src/compose/connect.ts'
import pipeline from '../../src/pipeline/index.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { recordDeployed } from '../../src/recompute/record-deployed.ts'
import { packagedCloud } from '../../test/local/packaged-cloud.ts'
import { flightsOf } from './some-routes.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const OTHER_SHARE = 0.25
const WHY = ['--who', 'route desk', '--why', 'the worked example']

function* arrivals(flights: Flights): Generator<string> {
  for (const index of inOrderOfArrival(flights)) yield `${JSON.stringify(flightArrived(flights, index))}\n`
}

function* labels(flights: Flights, count: number): Generator<string> {
  yield 'user,time,late\n'
  for (const { userId, time, late } of lateLabels(flights, count)) {
    yield `${userId},${new Date(time).toISOString()},${late}\n`
  }
}

interface Around {
  readonly folder: string
  readonly buckets: number
  readonly command: readonly string[]
}

async function around({ folder, buckets, command: [first = 'true', ...rest] }: Around): Promise<void> {
  const packaged = await packagedCloud({ shards: 1, archiveWindowSeconds: 1, recomputeWindowSeconds: 0 })
  const cloud = await startLocalCloud({ build: packaged.build, log: () => undefined })
  const env = { AWS_ENDPOINT_URL: cloud.endpoint }
  try {
    await recordDefinitions(env)
    await run(first, rest, { ...env, OTHER_BATCH: await store(await flightsOf(buckets), folder, env) })
  } finally {
    await cloud.stop()
    await packaged.remove()
  }
}

/** As the last step of any deploy. */
async function recordDefinitions(env: Readonly<Record<string, string>>): Promise<void> {
  const connection = connect({ pipeline: pipeline.name, stage: 'dev', env })
  const deploy = { stage: 'dev', release: null, who: 'route desk', why: 'the worked example' }
  await recordDeployed(connection.catalog, compilePipeline(pipeline), deploy)
  connection.close()
}

/** The ID of the other batch. What a route knew is what had happened, since all of it is brought in at once. */
async function store(flights: Flights, folder: string, env: Readonly<Record<string, string>>): Promise<string> {
  const [events, some, all, table] = ['events.ndjson', 'some.csv', 'all.csv', 'table.parquet'].map(name =>
    join(folder, name),
  )
  if (events === undefined || some === undefined || all === undefined || table === undefined)
    throw new Error('Four files')
  const count = flights.departedMs.length
  await mkdir(folder, { recursive: true })
  await Promise.all([events, some, all, table].map(path => rm(path, { force: true })))
  await streamed(Readable.from(arrivals(flights)), createWriteStream(events))
  await streamed(Readable.from(labels(flights, count)), createWriteStream(all))
  await streamed(Readable.from(labels(flights, Math.floor(count * OTHER_SHARE))), createWriteStream(some))
  const millrace = (...words: string[]) =>
    run(process.execPath, [join(ROOT, 'bin', 'millrace.mjs'), ...words, ...WHY], env)
  const trainingSet = ['training-set', '--known', 'all', '--name', 'late-arrival']
  await millrace('archive', 'import', events, '--event', 'flight.arrived', '--name', 'flights')
  const said = await millrace(...trainingSet, '--labels', some, '--json')
  await millrace(...trainingSet, '--labels', all, '--out', table)
  await Promise.all([events, some, all].map(path => rm(path)))
  return (JSON.parse(said) as { readonly batchId: string }).batchId
}

/** What it wrote on stdout, which is shown too. */
function run(command: string, words: readonly string[], added: Readonly<Record<string, string>>): Promise<string> {
  // The command's own first line asks for `node`: this one.
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  return new Promise((done, reject) => {
    const env = { ...process.env, ...added, PATH: path }
    const child = spawn(command, words, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8')
      process.stdout.write(chunk)
    })
    child.on('error', reject)
    child.on('close', code => (code === 0 ? done(said) : reject(new Error(`${command} ended with ${code}`))))
  })
}

const [, , folder, buckets, ...command] = process.argv
if (folder === undefined || buckets === undefined) throw new Error('Say what: stored.ts FOLDER BUCKETS COMMAND...')
await around({ folder: resolve(folder), buckets: Number(buckets), command })
