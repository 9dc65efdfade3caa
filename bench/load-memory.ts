// The same event source mapping and the real recompute invocation on ports in memory, in real time: what they sustain with no emulator
// in the way. A producer keeps its pace; the lag must stay flat.
import { memoryCheckpoints } from '../localstack/checkpoints.ts'
import { type EventSourceMapping, startEventSourceMapping } from '../localstack/event-source-mapping.ts'
import type { InvokeFunction } from '../localstack/mapped-stream.ts'
import { systemClock, systemSleep } from '../src/platform/clock.ts'
import { seededRandom } from '../src/platform/random.ts'
import flights from '../src/pipeline/index.ts'
import { memoryObjectStore } from '../test/fakes/memory-object-store.ts'
import { memoryStream, type MemoryStream } from '../test/fakes/memory-stream.ts'
import { mappingOf, memoryFunctions } from '../test/local/memory-functions.ts'
import { loadFlights } from './load-flights.ts'
import { slope } from './load-processes.ts'
import { plainStore } from './plain-store.ts'
import type { Verdict } from './load-report.ts'

const EVENTS_PER_SECOND_MIN = 5000
/** A little more than what is promised, so that rounding does not decide. */
const EVENTS_PER_SECOND = 5200
const TICK_MS = 50
const POLL_MS = 5
const SAMPLE_MS = 500
const WARM_UP_SHARE = 0.3
const LAG_GROWTH_MAX_MS = 500

export interface MemoryLoadOptions {
  readonly seconds: number
  /** Who the events are about, in turns: the fewer, the more events of a user one write carries. */
  readonly users: number
}

export async function loadMemory({ seconds, users }: MemoryLoadOptions): Promise<Verdict> {
  const stream = memoryStream(1)
  const store = plainStore(new Map())
  const functions = memoryFunctions(flights, { users: store, archive: memoryObjectStore() })
  const mapping = await startMapping(stream, functions.recompute)
  const startMs = systemClock()
  const cpu = process.cpuUsage()
  const points = await produce(stream, { untilMs: startMs + seconds * 1000, users, mapping })
  const spent = (systemClock() - startMs) / 1000
  const sustained = delivered(mapping) / spent
  const { user, system } = process.cpuUsage(cpu)
  const warm = points.slice(Math.floor(points.length * WARM_UP_SHARE))
  const growthMs = slope(warm) * ((warm.at(-1)?.[0] ?? 0) - (warm[0]?.[0] ?? 0))
  const failed = mapping.counters().reduce((sum, each) => sum + each.functionErrors + each.partialFailures, 0)
  await mapping.stop()
  const busy = (user + system) / 1e6 / spent
  return {
    lines: [
      `${sustained.toFixed(0)} events/s of ${users} users, ${(store.calls.writes / spent).toFixed(0)} users written/s, for ${spent.toFixed(0)} s`,
      `lag: ${Math.max(...warm.map(([, lag]) => lag)).toFixed(0)} ms at most, growth ${growthMs.toFixed(0)} ms`,
      `CPU: ${(busy * 100).toFixed(0)} % of a core; producer, stream and mapping included`,
    ],
    broken: [
      ...(sustained < EVENTS_PER_SECOND_MIN ? [`fewer than ${EVENTS_PER_SECOND_MIN} events/s`] : []),
      ...(growthMs > LAG_GROWTH_MAX_MS ? [`the lag grew by ${growthMs.toFixed(0)} ms`] : []),
      ...(failed > 0 ? [`${failed} batches failed`] : []),
      ...functions.errors.map(String),
    ],
  }
}

function startMapping(stream: MemoryStream, invoke: InvokeFunction): Promise<EventSourceMapping> {
  return startEventSourceMapping(
    {
      mapping: mappingOf('recompute', 500),
      roleArn: 'arn:aws:iam::000000000000:role/recompute',
      region: 'us-east-1',
      pollMs: POLL_MS,
    },
    {
      stream,
      invoke,
      checkpoints: memoryCheckpoints(),
      clock: systemClock,
      sleep: systemSleep,
      random: seededRandom(1),
      log: line => process.stderr.write(`${line}\n`),
    },
  )
}

function delivered(mapping: EventSourceMapping): number {
  return mapping.counters().reduce((sum, counters) => sum + counters.delivered, 0)
}

interface Producing {
  readonly untilMs: number
  readonly users: number
  readonly mapping: EventSourceMapping
}

/** Keeps the pace by the clock, whatever the consumer does. The lag, ms, as it went. */
async function produce(
  stream: MemoryStream,
  { untilMs, users, mapping }: Producing,
): Promise<readonly (readonly [atMs: number, lagMs: number])[]> {
  const [shard = ''] = stream.openShards()
  const traffic = loadFlights(users)
  const points: (readonly [number, number])[] = []
  const startMs = systemClock()
  let sent = 0
  let nextSampleMs = startMs
  for (let nowMs = startMs; nowMs < untilMs; nowMs = systemClock()) {
    const due = Math.floor(((nowMs - startMs) / 1000) * EVENTS_PER_SECOND) - sent
    for (const { partitionKey, data } of traffic.next(due, nowMs)) {
      stream.put(shard, data, { partitionKey, arrivalMs: nowMs })
    }
    sent += due
    if (nowMs >= nextSampleMs) {
      points.push([nowMs, ((sent - delivered(mapping)) / EVENTS_PER_SECOND) * 1000])
      nextSampleMs = nowMs + SAMPLE_MS
    }
    await systemSleep(TICK_MS)
  }
  return points
}
