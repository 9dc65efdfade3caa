// The demo's steps that change something: the model, the history, the live stream.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deliver } from '../src/event/producer.ts'
import pipeline from '../src/pipeline/index.ts'
import { compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { createPredictor } from '../src/compose/predictor.ts'
import { openOnnxSession } from '../src/model/onnx-session.ts'
import { modelRegistry } from '../src/model/registry.ts'
import { importHistory } from '../src/replay/import-history.ts'
import type { DemoCloud } from './cloud.ts'
import { flightArrived, routeOf } from './flights.ts'
import type { Phases } from './phases.ts'
import type { DemoPlan } from './plan.ts'

export const ARTIFACT_FILE = join(import.meta.dirname, '..', 'models', 'late-arrival', 'late-arrival.zip')
const WHO = 'demo'
/** Events sent at once; each goes out in calls of at most 500. */
const EVENTS_PER_DELIVERY = 1000
const PROGRESS_MS = 250
/** Ten times what it takes on two cores. */
const DRAIN_TIMEOUT_MS = 300_000

export async function publishModel({ connection }: DemoCloud, demo: Phases): Promise<void> {
  const zip = await readFile(ARTIFACT_FILE)
  const registry = modelRegistry(connection.catalog)
  const entry = await registry.publish({ zip, openSession: openOnnxSession, who: WHO, why: 'npm run demo' })
  demo.say(`in production as batch ${entry.batchId}; the functions pick it up by themselves`)
}

/** The route with the most live arrivals: the one on which most is to be seen. */
export function busiestRoute({ flights, live }: DemoPlan): string {
  const counts = new Map<string, number>()
  for (const index of live) {
    const route = routeOf(flights, index)
    counts.set(route, (counts.get(route) ?? 0) + 1)
  }
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0]?.[0] ?? ''
}

export async function loadHistory({ connection }: DemoCloud, plan: DemoPlan, demo: Phases): Promise<void> {
  const compiled = compilePipeline(pipeline)
  const progress = demo.progress('history', plan.history.length)
  let shown = 0
  const spoolDir = await mkdtemp(join(tmpdir(), 'millrace-import-'))
  const report = await importHistory(payloads(plan, plan.history), {
    ...connection,
    name: 'first-month',
    compiled,
    spoolDir,
    predictor: createPredictor(compiled, { ...connection, refreshMs: 0, onError: reportError }),
    who: WHO,
    why: '30 days of history before the live arrivals',
    onProgress: ({ events }) => {
      progress.advance(events - shown)
      shown = events
    },
  })
  await rm(spoolDir, { recursive: true })
  progress.done()
  demo.say(`${report.events} arrivals folded into ${report.usersWritten} routes, one write each`)
  demo.say(`each route's item names the batch in its imports: ${report.batch.batchId}`)
  if (report.usersWritten < report.users) throw new Error(`History was not loaded whole: ${JSON.stringify(report)}`)
}

/** What the mapping has acknowledged is what the progress shows: put, folded, predicted and written. */
export async function streamLive(cloud: DemoCloud, plan: DemoPlan, demo: Phases): Promise<void> {
  const { clock } = cloud.connection
  const progress = demo.progress('live', plan.live.length)
  const start = clock()
  let shown = 0
  const show = setInterval(() => {
    const done = recordsDone(cloud)
    progress.advance(done - shown)
    shown = done
  }, PROGRESS_MS)
  try {
    await putLive(cloud, plan)
    await cloud.local.waitUntilDrained({ timeoutMs: DRAIN_TIMEOUT_MS })
  } finally {
    clearInterval(show)
  }
  progress.advance(recordsDone(cloud) - shown)
  progress.done()
  const affected = new Set([...plan.live].map(index => routeOf(plan.flights, index))).size
  const known = new Set([...plan.history, ...plan.live].map(index => routeOf(plan.flights, index))).size
  const seconds = (clock() - start) / 1000
  demo.say(`${plan.live.length} events in ${seconds.toFixed(1)} s, from the first put to the last write`)
  demo.say(`${affected} of ${known} routes recomputed; the others were neither read nor written`)
}

function recordsDone({ local }: DemoCloud): number {
  const mapping = local.status().mappings.find(({ functionName }) => functionName.endsWith('recompute'))
  return (mapping?.shards ?? []).reduce((sum, shard) => sum + shard.delivered, 0)
}

async function putLive({ connection }: DemoCloud, plan: DemoPlan): Promise<void> {
  const { events: writer, random, sleep, clock } = connection
  for (let from = 0; from < plan.live.length; from += EVENTS_PER_DELIVERY) {
    const entries = [...plan.live.subarray(from, from + EVENTS_PER_DELIVERY)].map(index => {
      const event = flightArrived(plan.flights, index, plan.shiftMs)
      return { partitionKey: event.route, data: Buffer.from(JSON.stringify(event)) }
    })
    const deliveries = await deliver(entries, { writer, random, sleep, clock })
    const lost = deliveries.filter(delivery => delivery.outcome === 'undelivered').length
    if (lost > 0) throw new Error(`${lost} events were not delivered`)
  }
}

async function* payloads(plan: DemoPlan, indices: Uint32Array): AsyncGenerator<Uint8Array> {
  for (const index of indices) yield Buffer.from(JSON.stringify(flightArrived(plan.flights, index, plan.shiftMs)))
}

function reportError(error: unknown): void {
  console.error(error)
}
