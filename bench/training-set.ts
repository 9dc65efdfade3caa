// `npm run bench:training-set`: a history of a million events brought in and a training set made of it, by the commands that people
// type, against the local cloud; and the same rows by one SQL statement of DuckDB, whose numbers must be the same.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../src/compose/resource-names.ts'
import { startLocalAws } from '../test/fakes/local-aws.ts'
import { compareStatement, FEATURE_NAMES, inputStatements, joinStatement, type Sizes } from './training-set-sql.ts'

const ROOT = join(import.meta.dirname, '..')
const SHOP = join(import.meta.dirname, 'shop')
/** What a laptop and a CI machine have to spare, whatever the number of events and labels. */
const PEAK_BYTES_MAX = 1024 ** 3

interface Cost {
  readonly seconds: number
  readonly cpuSeconds: number
}

interface Finished extends Cost {
  readonly peakBytes: number
  readonly json: Readonly<Record<string, unknown>>
}

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    users: { type: 'string', default: '20000' },
    labels: { type: 'string', default: '100000' },
    known: { type: 'string', default: 'arrival' },
    json: { type: 'boolean', default: false },
  },
})
const sizes: Sizes = { events: Number(values.events), users: Number(values.users), labels: Number(values.labels) }
const say = (line: string): void => void (values.json ? process.stderr : process.stdout).write(`${line}\n`)

const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const aws = await startLocalAws()
const instance = await DuckDBInstance.create()
const duckdb = await instance.connect()
try {
  await bench()
} finally {
  duckdb.closeSync()
  instance.closeSync()
  await aws.stop()
  rmSync(folder, { recursive: true })
}

async function bench(): Promise<void> {
  const names = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })
  await aws.createUsersTable(names.usersTable)
  await aws.createCatalogTable(names.catalogTable)
  await aws.createBucket(names.catalogBucket)
  await aws.createBucket(names.archiveBucket)
  for (const statement of inputStatements(folder, sizes)) await duckdb.run(statement)
  say(`${sizes.events} events of ${sizes.users} users, ${sizes.labels} labels, ${FEATURE_NAMES.length} features`)

  const imports: Finished[] = []
  for (const [type, file] of [
    ['order.placed', 'orders'],
    ['site.visited', 'visits'],
  ] as const) {
    imports.push(await millrace('archive', 'import', '--event', type, join(folder, `${file}.parquet`)))
  }
  const imported = {
    seconds: imports.reduce((sum, { seconds }) => sum + seconds, 0),
    cpuSeconds: imports.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  }
  const importPeakBytes = Math.max(...imports.map(({ peakBytes }) => peakBytes))
  say(`import: ${figures(sizes.events, imported, 'events')}, peak ${megabytes(importPeakBytes)}`)

  const labels = join(folder, 'labels.parquet')
  const out = ['--out', join(folder, 'millrace.parquet')]
  const made = await millrace('training-set', '--labels', labels, '--known', values.known, ...out)
  say(`training set: ${figures(sizes.labels, made, 'rows')}, peak ${megabytes(made.peakBytes)}`)

  const sql = await timed(duckdb, joinStatement(folder))
  say(`DuckDB, the same rows by a range join, Parquet to Parquet: ${figures(sizes.labels, sql, 'rows')}`)
  const ratios = { seconds: made.seconds / sql.seconds, cpuSeconds: made.cpuSeconds / sql.cpuSeconds }
  say(`ratio: ${ratios.seconds.toFixed(1)} × DuckDB's time, ${ratios.cpuSeconds.toFixed(1)} × its CPU`)

  const [[different] = []] = (await duckdb.runAndReadAll(compareStatement(folder))).getRows()
  say(`rows that differ in any number: ${String(different)}`)
  if (values.json) {
    const { rows, users, events, notArrived } = made.json
    const trainingSet = { ...costOf(made), peakBytes: made.peakBytes, rows, users, eventsRead: events, notArrived }
    const result = { ...sizes, imported: { ...imported, peakBytes: importPeakBytes }, trainingSet, sql, ratios }
    process.stdout.write(`${JSON.stringify({ ...result, different: Number(different) })}\n`)
  }
  if (Number(different) > 0) throw new Error('The rows are not the same')
  if (made.peakBytes > PEAK_BYTES_MAX) throw new Error(`The training set took more than ${megabytes(PEAK_BYTES_MAX)}`)
}

async function timed(connection: DuckDBConnection, statement: string): Promise<Cost> {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  await connection.run(statement)
  const { user, system } = process.cpuUsage(cpu)
  return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 }
}

function costOf({ seconds, cpuSeconds }: Cost): Cost {
  return { seconds, cpuSeconds }
}

/** The command in a process of its own, from a cold start, as a person has it. */
async function millrace(...words: readonly string[]): Promise<Finished> {
  const usageFile = join(folder, 'usage.json')
  const start = performance.now()
  const main = ['--import', join(import.meta.dirname, 'report-usage.ts'), join(ROOT, 'src', 'cli', 'main.ts')]
  const stdout = await run([...main, ...words, '--json'], { USAGE_FILE: usageFile })
  const seconds = (performance.now() - start) / 1000
  const usage = JSON.parse(readFileSync(usageFile, 'utf8')) as Pick<Finished, 'peakBytes' | 'cpuSeconds'>
  return { seconds, ...usage, json: JSON.parse(stdout) as Finished['json'] }
}

function run(words: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=millrace-source', ...words], {
      cwd: SHOP,
      env: { ...process.env, ...aws.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', code => (code === 0 ? resolve(output) : reject(new Error(`ended with ${String(code)}`))))
  })
}

function figures(count: number, { seconds, cpuSeconds }: Cost, what: string): string {
  return `${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of CPU), ${Math.round(count / seconds)} ${what}/s`
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MB`
}
