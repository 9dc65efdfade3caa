// Last night's snapshot in two lines from TypeScript, SQL, Python and R: the same rows, the same checksum of values. On the packaged
// pipeline: flights are pushed, and the nightly function takes the snapshot, segment by segment. Run by `.ci/run` as
// `node --conditions=millrace-source test/clients/last-night.ts PYTHON R_LIBRARY`.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { flightArrived, inOrderOfArrival, openFlights } from '../../demo/flights.ts'
import { startLocalCloud } from '../../localstack/local-cloud.ts'
import { systemClock, systemSleep } from '../../src/platform/clock.ts'
import { openCatalog } from '../../src/compose/open-catalog.ts'
import { packagedCloud } from '../local/packaged-cloud.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const READERS = join(import.meta.dirname, 'last-night')
const FLIGHTS = 4_000
/** A day behind now: nothing is ahead of the clock that its arrival is held against. */
const BEHIND_MS = 86_400_000
const SNAPSHOT_TIMEOUT_MS = 60_000
const LOOK_MS = 200

interface Said {
  readonly rows: number
  readonly checksum: string
  readonly secondsToFirstRow: number
  readonly first: string
}

const [, , python = 'python3', rLibrary = ''] = process.argv
const folder = mkdtempSync(join(tmpdir(), 'millrace-last-night-'))
const packaged = await packagedCloud({ shards: 1, archiveWindowSeconds: 1, recomputeWindowSeconds: 0 })
const cloud = await startLocalCloud({ build: packaged.build, log: () => undefined })
try {
  await cloud.startAll()
  await pushFlights()
  await cloud.fireSchedule('SnapshotEventsRuleSchedule1')
  await snapshotIsThere()
  await run(process.execPath, [
    join(ROOT, 'bin', 'millrace.mjs'),
    'table',
    'load',
    'flights.users',
    '--out',
    join(folder, 'users'),
  ])
  const source = ['--conditions=millrace-source']
  const said: Readonly<Record<string, Said>> = {
    TypeScript: await ask(process.execPath, [...source, join(READERS, 'read.ts')]),
    SQL: await ask(process.execPath, [...source, join(READERS, 'read-sql.ts'), join(folder, 'users')]),
    Python: await ask(resolve(python), [join(READERS, 'read.py')]),
    R: await ask('Rscript', [join(READERS, 'read.R')]),
  }
  for (const [language, { rows, checksum, secondsToFirstRow }] of Object.entries(said)) {
    console.log(
      `${language}: ${rows} rows, ${checksum.slice(0, 12)}…, first row after ${secondsToFirstRow.toFixed(2)} s`,
    )
  }
  const { TypeScript: first } = said
  if (first === undefined || first.rows === 0) throw new Error('The snapshot has no rows')
  for (const other of Object.values(said)) {
    deepStrictEqual([other.rows, other.checksum], [first.rows, first.checksum])
    strictEqual(typeof other.first, 'string')
  }
} finally {
  await cloud.stop()
  await packaged.remove()
  rmSync(folder, { recursive: true })
}

async function pushFlights(): Promise<void> {
  const flights = await (await openFlights()).read(0, 0)
  const shiftMs = systemClock() - BEHIND_MS - (flights.departedMs[FLIGHTS - 1] ?? 0)
  const indices = [...inOrderOfArrival(flights)].filter(index => index < FLIGHTS)
  const events = indices.map(index => `${JSON.stringify(flightArrived(flights, index, shiftMs))}\n`).join('')
  writeFileSync(join(folder, 'events.ndjson'), events)
  await run(process.execPath, [join(ROOT, 'bin', 'millrace.mjs'), 'events', 'push', join(folder, 'events.ndjson')])
  await cloud.waitUntilDrained({ timeoutMs: 120_000 })
}

/** Its workers go on after the schedule's call has ended. */
async function snapshotIsThere(): Promise<void> {
  const catalog = openCatalog({ pipeline: 'flights', env: { AWS_ENDPOINT_URL: cloud.endpoint } })
  const endMs = systemClock() + SNAPSHOT_TIMEOUT_MS
  while ((await catalog.partitions({ db: 'flights', table: 'users' })).length === 0) {
    if (systemClock() > endMs) throw new Error('The snapshot did not come')
    await systemSleep(LOOK_MS)
  }
  catalog.close()
}

async function ask(command: string, words: readonly string[]): Promise<Said> {
  return JSON.parse(await run(command, words)) as Said
}

function run(command: string, words: readonly string[]): Promise<string> {
  // The command's own first line asks for `node`: this one.
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL: cloud.endpoint,
    PATH: path,
    R_LIBS: rLibrary,
    MILLRACE_PIPELINE: 'flights',
  }
  return new Promise((done, reject) => {
    const child = spawn(command, words, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => void (said += chunk.toString('utf8')))
    child.on('error', reject)
    child.on('close', code => (code === 0 ? done(said) : reject(new Error(`${command} ended with ${code}:\n${said}`))))
  })
}
