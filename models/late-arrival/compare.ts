// Two versions of late-arrival in flight time: the first goes into production on 1 March 2001, the second is promoted on 1 May; all
// arrivals run through recompute, a snapshot is taken at each midnight, and what was predicted is held against what then arrived.
// `compare.ts FOLDER BUCKETS table` writes the training table of those routes, `… history` does the rest with first.zip and second.zip.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodedArrivals, lateLabels } from '../../demo/training-table.ts'
import { arrivedMs, type Flights, flightArrived, inOrderOfArrival, openFlights, routeOf } from '../../demo/flights.ts'
import type { History } from '../../src/archive/history.ts'
import { type Catalog, catalog as catalogOn } from '../../src/catalog/catalog.ts'
import { performancePage } from '../../src/cli/model-history-metric-page.ts'
import { performanceLines } from '../../src/cli/model-history-metric-text.ts'
import { writeFeaturesTable } from '../../src/cli/write-features-table.ts'
import { createPinnedPredictor, createPredictor } from '../../src/compose/predictor.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { exportRows } from '../../src/features/export-rows.ts'
import { modelRef, STAGING } from '../../src/model/model-refs.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { modelRegistry } from '../../src/model/registry.ts'
import type { Way } from '../../src/performance/measure.ts'
import { modelPerformance, type PerformancePorts } from '../../src/performance/model-performance.ts'
import lateFlights from '../../src/pipeline/index.ts'
import { lateArrival } from '../../src/pipeline/models.ts'
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { memoryCatalogStore } from '../../test/fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../../test/fakes/memory-object-store.ts'
import { harness } from '../../test/recompute/harness.ts'

const FIRST_MS = Date.UTC(2001, 2, 1)
const SECOND_MS = Date.UTC(2001, 4, 1)
const LATE = { comparison: 'above', than: 15 } as const
const RECORDS_PER_BATCH = 500
const WHO = 'route desk'

const compiled = compilePipeline(lateFlights)

/** The flights of the routes in the first so many buckets, whole: features of a route follow from its own flights alone. */
async function flightsOf(buckets: number): Promise<Flights> {
  const file = await openFlights()
  const all = await file.read(0, file.groups.length - 1)
  const kept = new Map<string, boolean>()
  const indices = all.departedMs.reduce((own: number[], _, index) => {
    const route = routeOf(all, index)
    const isKept = kept.get(route) ?? userBucket(route) < buckets
    kept.set(route, isKept)
    if (isKept) own.push(index)
    return own
  }, [])
  const pick = <Columns extends Float64Array | Int16Array | Uint16Array>(column: Columns, made: Columns): Columns => {
    for (const [place, index] of indices.entries()) made[place] = column[index] ?? 0
    return made
  }
  const count = indices.length
  return {
    firstRow: 0,
    airports: all.airports,
    departedMs: pick(all.departedMs, new Float64Array(count)),
    delayMinutes: pick(all.delayMinutes, new Int16Array(count)),
    distanceMiles: pick(all.distanceMiles, new Int16Array(count)),
    origin: pick(all.origin, new Uint16Array(count)),
    destination: pick(all.destination, new Uint16Array(count)),
  }
}

async function writeTable(flights: Flights, path: string): Promise<void> {
  const instants = lateLabels(flights, flights.departedMs.length)
  const rows = await writeFeaturesTable(path, {
    pipeline: lateFlights,
    plan: compiled.features,
    carried: [{ name: 'late', type: 'int64' }],
    carriedValues: label => [label.late],
    rows: exportRows(compiled.features, { events: decodedArrivals(flights, compiled), instants }),
  })
  console.error(`${rows} rows in ${path}`)
}

interface World {
  readonly catalog: Catalog
  readonly clock: { nowMs: number }
}

function inMemory(): World {
  const clock = { nowMs: 0 }
  const ports = { store: memoryCatalogStore(), objects: memoryObjectStore(), sleep: async () => undefined }
  return { clock, catalog: catalogOn({ ...ports, clock: () => clock.nowMs, random: seededRandom(1) }) }
}

/** Every landing as a record of the stream, at the instant at which it became known. */
function recordOf(flights: Flights, index: number, place: number): StreamRecord {
  return {
    stream: 'events@1',
    shard: 'shardId-000000000000',
    sequence: String(place + 1),
    arrivalMs: arrivedMs(flights, index),
    partitionKey: routeOf(flights, index),
    dataBase64: Buffer.from(JSON.stringify(flightArrived(flights, index))).toString('base64'),
  }
}

async function release({ catalog }: World, name: string, zip: Uint8Array): Promise<void> {
  const words = { who: WHO, why: `the ${name} training` }
  const { batchId } = await modelRegistry(catalog).publish({
    zip,
    stage: STAGING,
    openSession: openOnnxSession,
    ...words,
  })
  await catalog.promote(modelRef(lateArrival.name, STAGING), modelRef(lateArrival.name), { batchId, ...words })
}

/** The whole half year, day by day: arrivals, then the night's snapshot once there is a model. */
async function runDays(world: World, flights: Flights, zips: ReadonlyMap<number, readonly [string, Uint8Array]>) {
  const { catalog, clock } = world
  const onError = (error: unknown): void => {
    throw error
  }
  const predictor = createPredictor(compiled, { catalog, clock: () => clock.nowMs, refreshMs: 0, onError })
  const run = harness({ compiled, predictor })
  const order = inOrderOfArrival(flights)
  let place = 0
  const firstDay = Math.floor((flights.departedMs[0] ?? 0) / DAY_MS) * DAY_MS
  const last = arrivedMs(flights, order.at(-1) ?? 0)
  for (let midnight = firstDay + DAY_MS; midnight <= last + DAY_MS; midnight += DAY_MS) {
    let records: StreamRecord[] = []
    for (; place < order.length && arrivedMs(flights, order[place] ?? 0) < midnight; place++) {
      records.push(recordOf(flights, order[place] ?? 0, place))
      if (records.length < RECORDS_PER_BATCH) continue
      await run.deliver(records)
      records = []
    }
    if (records.length > 0) await run.deliver(records)
    clock.nowMs = midnight
    const zip = zips.get(midnight)
    if (zip !== undefined) await release(world, ...zip)
    if (midnight < FIRST_MS) continue
    await takeSnapshot(
      { compiled, users: run.users, predictor, catalog },
      { instantMs: midnight, who: WHO, why: 'nightly' },
    )
  }
  if (run.deadLetters.length > 0) throw new Error(`${run.deadLetters.length} arrivals were refused`)
}

function historyOf(flights: Flights): History {
  const order = inOrderOfArrival(flights)
  return {
    inputs: [],
    positions: new Map(),
    imports: [],
    async *bucket(bucket, { userIds } = {}) {
      for (const [place, index] of order.entries()) {
        const route = routeOf(flights, index)
        const isWanted = userIds === undefined ? userBucket(route) === bucket : userIds.has(route)
        if (isWanted) yield { kind: 'stream', record: recordOf(flights, index, place) }
      }
    },
    close: async () => {},
  }
}

async function history(flights: Flights, folder: string): Promise<void> {
  const world = inMemory()
  const [first, second] = await Promise.all(['first', 'second'].map(name => readFile(join(folder, `${name}.zip`))))
  if (first === undefined || second === undefined) throw new Error('Train first: compare.sh does all')
  const zips = new Map([
    [FIRST_MS, ['first', first] as const],
    [SECOND_MS, ['second', second] as const],
  ])
  await runDays(world, flights, zips)
  const spoolDir = await mkdtemp(join(tmpdir(), 'millrace-compare-'))
  try {
    for (const way of ['snapshots', 'replayed'] as const) await show(world, flights, { way, folder, spoolDir })
  } finally {
    await rm(spoolDir, { recursive: true })
  }
}

interface Shown {
  readonly way: Way
  readonly folder: string
  readonly spoolDir: string
}

async function show({ catalog }: World, flights: Flights, { way, folder, spoolDir }: Shown): Promise<void> {
  const none = { openLetters: async () => new Set<string>(), accepted: async () => new Map<string, number>() }
  const ports: PerformancePorts = {
    compiled,
    catalog,
    stage: 'dev',
    spoolDir,
    manifestOf: async batchId => (await modelRegistry(catalog).artifact(lateArrival.name, batchId)).manifest,
    predictWith: versions => createPinnedPredictor(compiled, { catalog, versions }),
    openArchived: async () => ({ compiled, history: historyOf(flights), spoolDir, ...none }),
  }
  const report = await modelPerformance(
    {
      model: lateArrival,
      metric: 'auc',
      by: 'week',
      source: { kind: 'events', type: 'flight.arrived', field: 'delayMinutes' },
      outcomes: 'flight.arrived.delayMinutes above 15',
      threshold: LATE,
      way,
      horizonMs: 48 * HOUR_MS,
      fromMs: FIRST_MS + DAY_MS,
    },
    ports,
  )
  console.log(`${performanceLines(report).join('\n')}\n`)
  await writeFile(join(folder, `${way}.html`), performancePage(report))
}

const [, , folder, buckets, step] = process.argv
if (folder === undefined || step === undefined) throw new Error('Say what: compare.ts FOLDER BUCKETS table|history')
const startMs = Date.now()
const flights = await flightsOf(Number(buckets))
console.error(`${flights.departedMs.length} flights`)
if (step === 'table') await writeTable(flights, join(folder, 'table.parquet'))
else await history(flights, folder)
console.error(`${step}: ${((Date.now() - startMs) / 1000).toFixed(0)} s`)
