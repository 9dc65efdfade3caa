// Two versions of late-arrival in flight time: the first goes into production on 1 March 2001, the second is promoted on 1 May; all
// arrivals run through recompute, a snapshot is taken at each midnight, and what was predicted is held against what then arrived.
// In April a feature is deployed that the model does not take. `compare.ts FOLDER BUCKETS`, with first.zip and second.zip in the folder.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arrivedMs, type Flights, flightArrived, inOrderOfArrival, routeOf } from '../../demo/flights.ts'
import type { History } from '../../src/archive/history.ts'
import { type Catalog, catalog as catalogOn } from '../../src/catalog/catalog.ts'
import { modelDiffPage } from '../../src/cli/model-diff-page.ts'
import { diffOnSample } from '../../src/cli/model-diff-sample.ts'
import { modelDiffLines } from '../../src/cli/model-diff-text.ts'
import { performancePage } from '../../src/cli/model-history-metric-page.ts'
import { performanceLines } from '../../src/cli/model-history-metric-text.ts'
import { createPinnedPredictor, createPredictor } from '../../src/compose/predictor.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { count } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { diffPapers } from '../../src/model/diff-models.ts'
import { modelRef, STAGING } from '../../src/model/model-refs.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { modelRegistry } from '../../src/model/registry.ts'
import type { Way } from '../../src/performance/measure.ts'
import { modelPerformance, type PerformancePorts } from '../../src/performance/model-performance.ts'
import { arrival } from '../../src/pipeline/events.ts'
import lateFlights from '../../src/pipeline/index.ts'
import { lateArrival } from '../../src/pipeline/models.ts'
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { type CompiledPipeline, compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { recordDeployed } from '../../src/recompute/record-deployed.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { memoryCatalogStore } from '../../test/fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../../test/fakes/memory-object-store.ts'
import { harness } from '../../test/recompute/harness.ts'
import { flightsOf } from './some-routes.ts'

const FIRST_MS = Date.UTC(2001, 2, 1)
const WIDER_MS = Date.UTC(2001, 3, 10)
const SECOND_MS = Date.UTC(2001, 4, 1)
const STAGE = 'dev'
const LATE = { comparison: 'above', than: 15 } as const
const RECORDS_PER_BATCH = 500
const WHO = 'route desk'

const compiled = compilePipeline(lateFlights)

/** The desk asks for one more feature, and the model does not take it: a deploy that leaves it as it is. */
const wider = compilePipeline(
  pipeline({
    ...lateFlights,
    features: features({ ...lateFlights.features.features, arrivals2h: count(arrival, { within: '2h' }) }),
  }),
)

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

async function deploy({ catalog }: World, deployed: CompiledPipeline, why: string): Promise<void> {
  await recordDeployed(catalog, deployed, { stage: STAGE, release: null, who: WHO, why })
}

/** The whole half year, day by day: arrivals, then the night's snapshot once there is a model. */
async function runDays(world: World, flights: Flights, zips: ReadonlyMap<number, readonly [string, Uint8Array]>) {
  const { catalog, clock } = world
  const onError = (error: unknown): void => {
    throw error
  }
  const functionsOf = (deployed: CompiledPipeline) => {
    const predictor = createPredictor(deployed, { catalog, clock: () => clock.nowMs, refreshMs: 0, onError })
    return { compiled: deployed, predictor }
  }
  const run = harness(functionsOf(compiled))
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
    if (midnight === FIRST_MS) await deploy(world, compiled, 'with a model')
    if (midnight === WIDER_MS) {
      await deploy(world, wider, 'arrivals of two hours, for the desk')
      run.dependencies = { ...run.dependencies, ...functionsOf(wider) }
    }
    if (midnight < FIRST_MS) continue
    await takeSnapshot({ ...run.dependencies, catalog }, { instantMs: midnight, who: WHO, why: 'nightly' })
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
    await showDiff(world, folder)
    for (const way of ['snapshots', 'replayed'] as const) await show(world, flights, { way, folder, spoolDir })
  } finally {
    await rm(spoolDir, { recursive: true })
  }
}

/** What is different between the two, and what they say of the routes of the last snapshot. */
async function showDiff({ catalog }: World, folder: string): Promise<void> {
  const log = (await catalog.history(modelRef(lateArrival.name))).toReversed()
  const [before, now] = await Promise.all(
    log.map(async ({ batchId }) => {
      return { batchId, asked: batchId, artifact: await modelRegistry(catalog).artifact(lateArrival.name, batchId) }
    }),
  )
  if (before === undefined || now === undefined) throw new Error('Two were promoted')
  const papers = [before.artifact.manifest, now.artifact.manifest] as const
  const sampled = { catalog, pipeline: lateFlights, tolerance: 0.01, rowsMax: 10_000, isNamed: false }
  const diff = {
    name: lateArrival.name,
    before: before.batchId,
    now: now.batchId,
    ...diffPapers(...papers),
    ...(await diffOnSample(before, now, sampled)),
  }
  console.log(`${modelDiffLines(diff).join('\n')}\n`)
  await writeFile(join(folder, 'diff.html'), modelDiffPage(diff, ...papers))
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
    stage: STAGE,
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

const [, , folder, buckets] = process.argv
if (folder === undefined || buckets === undefined) throw new Error('Say what: compare.ts FOLDER BUCKETS')
const startMs = Date.now()
const flights = await flightsOf(Number(buckets))
console.error(`${flights.departedMs.length} flights`)
await history(flights, folder)
console.error(`${((Date.now() - startMs) / 1000).toFixed(0)} s`)
