// What an import of history costs here: a Parquet file of arrivals read, decoded, parted by bucket, folded and encoded, into stores
// that take everything and keep nothing, so that the figures are Millrace's own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { catalog } from '../src/catalog/catalog.ts'
import { readImportFiles } from '../src/cli/import-payloads.ts'
import type { ObjectStat, ObjectStore } from '../src/platform/object-store.ts'
import { seededRandom } from '../src/platform/random.ts'
import pipeline from '../src/pipeline/index.ts'
import { compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { importHistory } from '../src/replay/import-history.ts'
import { memoryCatalogStore } from '../test/fakes/memory-catalog-store.ts'
import { plainStore } from './plain-store.ts'
import { lateArrivalPredictor } from './predictor.ts'

const NOW_MS = Date.UTC(2026, 0, 31, 18)

export interface ImportMeasure {
  readonly events: number
  readonly users: number
  readonly seconds: number
  readonly eventsPerSecond: number
  /** Of the whole process while the import ran. */
  readonly peakRssBytes: number
  readonly storedBytes: number
}

/** `users`: among how many the events are spread evenly. */
export async function measureImport({ events, users }: { events: number; users: number }): Promise<ImportMeasure> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  const gauge = rssGauge()
  try {
    const path = join(folder, 'arrivals.parquet')
    await writeArrivals(path, { events, users })
    const [contract] = pipeline.events
    if (contract === undefined) throw new Error('The pipeline has no events')
    const world = { clock: () => NOW_MS, random: seededRandom(1), sleep: async () => undefined }
    const stored = forgettingObjects()
    const predictor = await lateArrivalPredictor()
    const startMs = performance.now()
    gauge.start()
    const report = await importHistory(
      readImportFiles([path], { contract, typePath: pipeline.typePath, columnOf: new Map() }).payloads,
      {
        ...world,
        name: 'arrivals',
        compiled: compilePipeline(pipeline),
        users: { ...plainStore(new Map()), put: async () => ({ outcome: 'written' }) },
        predictor,
        catalog: catalog({ store: memoryCatalogStore(), objects: stored.objects, ...world }),
        spoolDir: folder,
        who: 'bench',
        why: 'measure',
      },
    )
    const seconds = (performance.now() - startMs) / 1000
    if (report.folded !== events || report.usersWritten !== users) throw new Error(JSON.stringify(report))
    const [eventsPerSecond, peakRssBytes] = [events / seconds, gauge.peakBytes()]
    return { events, users, seconds, eventsPerSecond, peakRssBytes, storedBytes: stored.bytes() }
  } finally {
    gauge.stop()
    await rm(folder, { recursive: true })
  }
}

/** In the order of time, over the 90 days before now. */
async function writeArrivals(path: string, { events, users }: { events: number; users: number }): Promise<void> {
  const duckdb = await DuckDBInstance.create()
  const connection = await duckdb.connect()
  const fromSeconds = NOW_MS / 1000 - 90 * 86_400
  await connection.run(
    `COPY (SELECT 'flight-' || n AS flight, 'route-' || (n * 7919 % ${users}) AS route,
      make_timestamp(((${fromSeconds} + n * ${(90 * 86_400) / events}) * 1000000)::BIGINT) AS "arrivedAt",
      (n * 31 % 120 - 30)::INT AS "delayMinutes", (n * 13 % 2000)::INT AS "distanceMiles", (n % 24)::INT AS "departureHour",
      (n % 7)::INT AS "departureWeekday", 'AAA' AS origin, 'BBB' AS destination
      FROM range(${events}) AS t(n)) TO '${path}' (FORMAT parquet, COMPRESSION snappy)`,
  )
  connection.closeSync()
  duckdb.closeSync()
}

function forgettingObjects(): { readonly objects: ObjectStore; readonly bytes: () => number } {
  let bytes = 0
  const stats = new Map<string, ObjectStat>()
  const objects: ObjectStore = {
    create: async (key, body, { sha256, metadata = {} } = {}) => {
      bytes += body.byteLength
      stats.set(key, { bytes: body.byteLength, sha256, metadata })
      return 'created'
    },
    stat: async key => stats.get(key),
    get: async () => undefined,
    async *list() {},
  }
  return { objects, bytes: () => bytes }
}

const GAUGE_MS = 20

function rssGauge() {
  let peak = 0
  let timer: NodeJS.Timeout | undefined
  const look = (): void => void (peak = Math.max(peak, process.memoryUsage.rss()))
  return {
    start: () => void (timer = setInterval(look, GAUGE_MS)),
    stop: () => clearInterval(timer),
    peakBytes: () => (look(), peak),
  }
}
