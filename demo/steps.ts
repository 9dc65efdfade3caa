// The demo's steps that change something: the model, the history, the live stream.
import { readFile } from 'node:fs/promises'
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
  const report = await importHistory(payloads(plan, plan.history), {
    ...connection,
    compiled,
    predictor: createPredictor(compiled, { ...connection, refreshMs: 0, onError: reportError }),
    who: WHO,
    why: '30 days of history before the live arrivals',
    onProgress: ({ events }) => {
      progress.advance(events - shown)
      shown = events
    },
  })
  progress.done()
  demo.say(`${report.events} arrivals folded into ${report.usersWritten} routes, one write each`)
  demo.say(`each route's item names the batch in its imports: ${report.batch.batchId}`)
  if (report.usersSkipped + report.late > 0) throw new Error(`History was not loaded whole: ${JSON.stringify(report)}`)
}

export async function streamLive({ local, connection }: DemoCloud, plan: DemoPlan, demo: Phases): Promise<void> {
  const { events: writer, random, sleep, clock } = connection
  const progress = demo.progress('live', plan.live.length)
  const start = clock()
  for (let from = 0; from < plan.live.length; from += EVENTS_PER_DELIVERY) {
    const slice = plan.live.subarray(from, from + EVENTS_PER_DELIVERY)
    const entries = [...slice].map(index => {
      const event = flightArrived(plan.flights, index, plan.shiftMs)
      return { partitionKey: event.route, data: Buffer.from(JSON.stringify(event)) }
    })
    const deliveries = await deliver(entries, { writer, random, sleep, clock })
    const lost = deliveries.filter(delivery => delivery.outcome === 'undelivered').length
    if (lost > 0) throw new Error(`${lost} events were not delivered`)
    progress.advance(entries.length)
  }
  await local.waitUntilDrained()
  progress.done()
  const seconds = (clock() - start) / 1000
  const affected = new Set([...plan.live].map(index => routeOf(plan.flights, index))).size
  demo.say(`${plan.live.length} events in ${seconds.toFixed(1)} s, from the first put to the last write`)
  demo.say(`${affected} routes recomputed; the others were neither read nor written`)
}

async function* payloads(plan: DemoPlan, indices: Uint32Array): AsyncGenerator<Uint8Array> {
  for (const index of indices) yield Buffer.from(JSON.stringify(flightArrived(plan.flights, index, plan.shiftMs)))
}

function reportError(error: unknown): void {
  console.error(error)
}
