// The README's promise of the Python client, kept on the packaged pipeline: some days of flights are pushed, and then
// clients/python/examples/quickstart.py goes from their labels to a prediction that a GET serves; then a glm of R takes its place. Run by clients/python/check.sh as
// `node --conditions=millrace-source test/clients/quickstart.ts PYTHON`.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { flightArrived, type Flights, inOrderOfArrival, openFlights, routeOf } from '../../demo/flights.ts'
import { lateLabels } from '../../demo/training-table.ts'
import { startLocalCloud } from '../../localstack/local-cloud.ts'
import { connect } from '../../src/compose/connect.ts'
import pipeline from '../../src/pipeline/index.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { recordDeployed } from '../../src/recompute/record-deployed.ts'
import { publishGlm } from './published-glm.ts'
import { packagedCloud } from '../local/packaged-cloud.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const SCRIPT = join(ROOT, 'clients', 'python', 'examples', 'quickstart.py')
const FLIGHTS = 4_000
/** A day behind now: nothing is ahead of the clock that its arrival is held against. */
const BEHIND_MS = 86_400_000
const WRITTEN_LINES_MAX = 8

const [, , python = 'python3'] = process.argv
const folder = mkdtempSync(join(tmpdir(), 'millrace-quickstart-'))
const packaged = await packagedCloud({
  shards: 1,
  archiveWindowSeconds: 1,
  recomputeWindowSeconds: 0,
  variables: { MILLRACE_MODEL_REFRESH_MS: '0' },
})
const cloud = await startLocalCloud({ build: packaged.build, log: () => undefined })
try {
  await cloud.startAll()
  await recordDefinitions()
  const flights = await (await openFlights()).read(0, 0)
  const lastMs = flights.departedMs[FLIGHTS - 1] ?? 0
  const shiftMs = Date.now() - BEHIND_MS - lastMs
  writeFileSync(join(folder, 'events.ndjson'), arrivals(flights, shiftMs))
  const millrace = (...words: string[]) => run(process.execPath, [join(ROOT, 'bin', 'millrace.mjs'), ...words])
  await millrace('events', 'push', join(folder, 'events.ndjson'))
  await cloud.waitUntilDrained({ timeoutMs: 120_000 })
  await quickstart(labels(flights, shiftMs))
  await publishGlm({ endpoint: cloud.endpoint, folder, userId: routeOf(flights, FLIGHTS - 1), millrace })
} finally {
  await cloud.stop()
  await packaged.remove()
  rmSync(folder, { recursive: true })
}

/** As `millrace local` does it last. */
async function recordDefinitions(): Promise<void> {
  const connection = connect({ pipeline: pipeline.name, stage: 'dev', env: { AWS_ENDPOINT_URL: cloud.endpoint } })
  await recordDeployed(connection.catalog, compilePipeline(pipeline), {
    stage: 'dev',
    release: null,
    who: 'the test',
    why: 'for the client',
  })
  connection.close()
}

function arrivals(flights: Flights, shiftMs: number): string {
  const indices = [...inOrderOfArrival(flights)].filter(index => index < FLIGHTS)
  return indices.map(index => `${JSON.stringify(flightArrived(flights, index, shiftMs))}\n`).join('')
}

function labels(flights: Flights, shiftMs: number): string {
  const rows = [...lateLabels(flights, FLIGHTS)].map(
    ({ userId, time, late }) => `${userId},${new Date(time + shiftMs).toISOString()},${late}`,
  )
  return ['user,time,late', ...rows, ''].join('\n')
}

/** Throws where the answer is none, or not of the version that has just been published. */
async function quickstart(csv: string): Promise<void> {
  const lines = readFileSync(SCRIPT, 'utf8')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#')).length
  const startMs = performance.now()
  const said = await run(resolve(python), [SCRIPT], csv)
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  const answer = JSON.parse(said) as {
    readonly models?: Readonly<
      Record<string, { readonly status: string; readonly value?: { readonly probability?: number } }>
    >
  }
  const prediction = answer.models?.['late-arrival']
  const { probability = Number.NaN } = prediction?.value ?? {}
  if (prediction?.status !== 'ok' || !(probability >= 0 && probability <= 1)) throw new Error(`GET answered ${said}`)
  if (lines > WRITTEN_LINES_MAX) throw new Error(`${SCRIPT} has ${lines} lines, over ${WRITTEN_LINES_MAX}`)
  console.log(`From ${FLIGHTS} labels to a served prediction (${probability}): ${lines} lines written, ${seconds} s`)
}

function run(command: string, words: readonly string[], input = ''): Promise<string> {
  // The command's own first line asks for `node`: this one.
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  const env = { ...process.env, AWS_ENDPOINT_URL: cloud.endpoint, PATH: path }
  return new Promise((done, reject) => {
    const child = spawn(command, words, { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => void (said += chunk.toString('utf8')))
    child.on('error', reject)
    child.on('close', code => (code === 0 ? done(said) : reject(new Error(`${command} ended with ${code}:\n${said}`))))
    child.stdin.end(input)
  })
}
