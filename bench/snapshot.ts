// `node --expose-gc --max-old-space-size=256 --max-semi-space-size=16 --conditions=millrace-source bench/snapshot.ts`: the nightly snapshot of a
// million users of the flights' pipeline with its model, in a heap that is not left to garbage for want of a limit, on a store that makes
// the items as they are read, worker after worker in one process; then DuckDB writes the same rows. It exits 1 where the process took more
// memory than a worker may. `--users N`, `--segments N`, `--seed N`, `--json`.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { catalog } from '../src/catalog/catalog.ts'
import pipeline from '../src/pipeline/index.ts'
import { systemClock, systemSleep } from '../src/platform/clock.ts'
import type { ObjectStat, ObjectStore } from '../src/platform/object-store.ts'
import { seededRandom } from '../src/platform/random.ts'
import { compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { finishRun, type SnapshotReport } from '../src/snapshot/finish-run.ts'
import { processObjects } from '../src/snapshot/process-objects.ts'
import { snapshotRuns } from '../src/snapshot/snapshot-runs.ts'
import { startRun } from '../src/snapshot/start-run.ts'
import { versionsOf } from '../src/snapshot/take-snapshot.ts'
import { workSegment } from '../src/snapshot/work-segment.ts'
import { memoryCatalogStore } from '../test/fakes/memory-catalog-store.ts'
import { lateArrivalPredictor } from './predictor.ts'
import { madeUsers } from './snapshot-users.ts'

const SAMPLE_MS = 50
/** However many users there are. The function of the snapshot is given more: garbage may lie there for a while. */
const PEAK_BYTES_MAX = 512e6
const MB = 1e6
const INSTANT_MS = Date.UTC(2024, 5, 1, 2, 15)

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000000' },
    segments: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const [userCount, segments, seed] = [Number(values.users), Number(values.segments), Number(values.seed)]
const loadBefore = loadavg()[0] ?? 0
const folder = mkdtempSync(join(tmpdir(), 'millrace-snapshot-'))
try {
  const { report, times, peakBytes } = await takeIt()
  const duckdb = await writeWithDuckdb()
  say(report, { ...times, peakBytes, duckdb })
} finally {
  rmSync(folder, { recursive: true })
}

interface Times {
  readonly wallMs: number
  /** Of the process, with the making of items in it: what it takes however many others there are. */
  readonly cpuMs: number
  /** Of making items, which a real table does elsewhere. */
  readonly makingMs: number
  /** Of Parquet and files. */
  readonly writingMs: number
}

async function takeIt(): Promise<{ report: SnapshotReport; times: Times; peakBytes: number }> {
  const compiled = compilePipeline(pipeline)
  const users = madeUsers(compiled, { userCount, seed, untilMs: INSTANT_MS })
  const predictor = await (await lateArrivalPredictor()).pinned()
  const world = { clock: systemClock, random: seededRandom(seed), sleep: systemSleep }
  const own = catalog({ store: memoryCatalogStore(), objects: fileObjects(folder), ...world })
  let writingMs = 0
  const timed: typeof own = {
    ...own,
    writeParts: async (...asked) => {
      const from = performance.now()
      const parts = await own.writeParts(...asked)
      writingMs += performance.now() - from
      return parts
    },
  }
  const deps = { compiled, users, catalog: timed, runs: snapshotRuns(processObjects()), predictor, ...world }
  globalThis.gc?.()
  let peakBytes = 0
  const sampler = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage.rss())), SAMPLE_MS)
  const [from, cpuFrom] = [performance.now(), process.cpuUsage()]
  const { run } = await startRun(deps, {
    instantMs: INSTANT_MS,
    who: 'bench',
    why: 'to measure it',
    segments,
    scans: 2,
    models: versionsOf(predictor),
    whenRunning: 'refuse',
  })
  for (let segment = 0; segment < segments; segment++) await workSegment(deps, run, { segment })
  const report = await finishRun(deps, run)
  const wallMs = performance.now() - from
  const { user, system } = process.cpuUsage(cpuFrom)
  clearInterval(sampler)
  if (report === undefined || report.users !== userCount) throw new Error(`${report?.users} users are in the snapshot`)
  peakBytes = Math.max(peakBytes, process.resourceUsage().maxRSS * 1024)
  return { report, times: { wallMs, cpuMs: (user + system) / 1000, makingMs: users.makingMs(), writingMs }, peakBytes }
}

interface DuckdbFigures {
  readonly rows: number
  readonly distinctUsers: number
  readonly wallMs: number
  readonly bytes: number
}

/** It reads the parts into a table of its own first, which is not counted. */
async function writeWithDuckdb(): Promise<DuckdbFigures> {
  const instance = await DuckDBInstance.create()
  const session = await instance.connect()
  const path = (name: string): string => join(folder, name).replaceAll("'", "''")
  const parts = `${path('**')}/*.parquet`
  await session.run(`CREATE TABLE users AS SELECT * FROM read_parquet('${parts}')`)
  const counted = await session.runAndReadAll('SELECT count(*), count(DISTINCT user_id) FROM users')
  const [rows, distinctUsers] = (counted.getRows()[0] ?? []).map(Number)
  const out = path('duckdb.out')
  const from = performance.now()
  await session.run(`COPY users TO '${out}' (FORMAT parquet, COMPRESSION snappy)`)
  const wallMs = performance.now() - from
  session.closeSync()
  instance.closeSync()
  if (rows !== userCount || distinctUsers !== userCount)
    throw new Error(`DuckDB sees ${rows} rows, ${distinctUsers} users`)
  return { rows, distinctUsers, wallMs, bytes: statSync(join(folder, 'duckdb.out')).size }
}

function say(report: SnapshotReport, { duckdb, ...times }: Times & { peakBytes: number; duckdb: DuckdbFigures }): void {
  const { drift: _, since: __, entry: ___, ...facts } = report
  const files = readdirSync(folder, { recursive: true }).map(name => join(folder, String(name)))
  const parts = files.filter(name => name.endsWith('.parquet'))
  const bytes = parts.reduce((sum, name) => sum + statSync(name).size, 0)
  const workMs = times.wallMs - times.makingMs
  const rate = (ms: number): number => Math.round((userCount * 1000) / ms)
  const figures = {
    ...facts,
    ...times,
    parts: parts.length,
    bytes,
    rowsPerSecond: rate(workMs),
    duckdb,
    cores: availableParallelism(),
    load: [loadBefore, loadavg()[0]],
  }
  const lines = [
    `${userCount} users, ${segments} workers one after the other: ${rate(workMs)} rows/s (${seconds(workMs)}; making the items ${seconds(times.makingMs)} more)`,
    `CPU of it ${seconds(times.cpuMs)}, ${rate(times.cpuMs)} rows/s`,
    `of it Parquet: ${seconds(times.writingMs)}, ${rate(times.writingMs)} rows/s; ${parts.length} parts, ${(bytes / MB).toFixed(1)} MB`,
    `items ${(facts.storedBytes / MB).toFixed(0)} MB stored, ${(facts.plainBytes / MB).toFixed(0)} MB plain, ${facts.readUnits} read units, ${facts.pieces} pieces`,
    `peak memory of the process ${(times.peakBytes / MB).toFixed(0)} MB`,
    `DuckDB writes the same rows: ${seconds(duckdb.wallMs)}, ${rate(duckdb.wallMs)} rows/s, ${(duckdb.bytes / MB).toFixed(1)} MB, ${figures.cores} threads`,
    `load ${loadBefore.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after, ${figures.cores} cores`,
  ]
  if (times.peakBytes > PEAK_BYTES_MAX) process.exitCode = 1
  process.stdout.write(values.json ? `${JSON.stringify(figures, null, 2)}\n` : lines.map(line => `${line}\n`).join(''))
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

/** As a bucket, in files: a million rows are not kept in memory twice. */
function fileObjects(root: string): ObjectStore {
  const stats = new Map<string, ObjectStat>()
  return {
    create: async (key, body, { sha256, metadata = {} } = {}) => {
      if (stats.has(key)) return 'exists'
      mkdirSync(dirname(join(root, key)), { recursive: true })
      writeFileSync(join(root, key), body)
      stats.set(key, { bytes: body.byteLength, sha256, metadata })
      return 'created'
    },
    stat: async key => stats.get(key),
    get: async key => (stats.has(key) ? readFileSync(join(root, key)) : undefined),
    list: () => {
      throw new Error('Nobody lists the parts')
    },
  }
}
