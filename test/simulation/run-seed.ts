// One seed from its first record to its last check. The workload and its faults, then rest: faults stop, lag must return to zero; then
// what was set aside is brought in as an operator would; then the whole log once more, which must change no byte.
import { seededRandom } from '../../src/platform/random.ts'
import { mapRecord } from '../../localstack/mapped-record.ts'
import { eventOf } from '../../localstack/mapped-record.ts'
import type { EventSourceMapping } from '../../localstack/event-source-mapping.ts'
import { type MappedName, memoryCheckpoints, startMapping } from './mappings.ts'
import { forgiving, get, reshard, runBackfill, snapshot } from './operators.ts'
import { judge } from './oracle.ts'
import type { BackfillRequest } from '../../src/replay/backfill.ts'
import { Workload } from './workload.ts'
import { EPOCH, newSimulation, type Simulation, type SimulationRequest, STREAM } from './world.ts'

export interface SeedResult {
  readonly seed: number
  readonly records: number
  readonly wakes: number
  readonly fired: ReadonlyMap<string, number>
  /** Undefined: everything held. */
  readonly failure: string | undefined
  /** What happened, line by line. */
  readonly lines: readonly string[]
}

/** Simulated time in which everything must have come to rest once faults have stopped. */
const REST_MS = 3_600_000
const REST_POLL_MS = 500
const OUTAGE_MAX_MS = 180_000
/** Share of gaps that are a moment and no pause. */
const BURST_SHARE = 0.7
const BURST_GAP_MS = 40
const SECOND_TIME_BATCH = 50
const PROBLEMS_SHOWN_MAX = 5

export async function runSeed(request: SimulationRequest): Promise<SeedResult> {
  const simulation = newSimulation(request)
  let failure: string | undefined
  try {
    await simulation.scheduler.run(live(simulation, request.seed))
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  const { log, scheduler, faults, lines } = simulation
  return { seed: request.seed, records: log.length, wakes: scheduler.wakes(), fired: faults.fired, failure, lines }
}

async function live(simulation: Simulation, seed: number): Promise<void> {
  const { archiveBucket, faults, functions, trace } = simulation
  const mappings = new Mappings(simulation)
  await mappings.start()
  const tasks: Promise<unknown>[] = []
  await workload(simulation, seed, mappings, tasks)
  faults.isOver = true
  archiveBucket.outageUntilMs = 0
  trace('faults stop')
  await Promise.all([functions.recompute.settled(), functions.archive.settled(), ...tasks])
  await mappings.comeToRest()
  assertRight(simulation, false)
  await bringIn(simulation)
  assertRight(simulation, true)
  await everythingAgain(simulation)
  await mappings.stop()
}

async function workload(simulation: Simulation, seed: number, mappings: Mappings, tasks: Promise<unknown>[]) {
  const { scheduler, stream, settings, log, random } = simulation
  const upstream = new Workload(settings, seededRandom(seed ^ 0xeeee))
  for (let index = 0; index < settings.events; index++) {
    const sent = upstream.next(scheduler.clock())
    const arrivalMs = Math.floor(scheduler.clock())
    const { partitionKey, dataBase64 } = sent
    const put = stream.put(partitionKey, dataBase64, arrivalMs)
    log.push({ ...sent, record: { stream: `${STREAM}@${EPOCH}`, ...put, arrivalMs, partitionKey, dataBase64 } })
    await scheduler.sleep(random() < BURST_SHARE ? random() * BURST_GAP_MS : random() * settings.gapMaxMs)
    await interfere(simulation, mappings, tasks)
    if (simulation.broken[0] !== undefined) throw simulation.broken[0]
  }
}

/** What people and the world do between two records. */
async function interfere(simulation: Simulation, mappings: Mappings, tasks: Promise<unknown>[]): Promise<void> {
  const { faults, random, models, log, archiveBucket, scheduler, deployed, functions, trace } = simulation
  const start = (operation: () => Promise<unknown>): void => void tasks.push(forgiving(simulation, operation))
  const someone = log[Math.floor(random() * log.length)]?.event?.userId
  if (someone !== undefined && random() < 0.1) start(() => get(simulation, someone))
  reshard(simulation)
  if (faults.fires('model swap')) models.publish(models.current + 1)
  if (faults.fires('other code')) {
    simulation.live = simulation.live === deployed.before ? deployed.after : deployed.before
    trace('other code is deployed')
    // Some go on with the code that they have.
    if (random() < 0.5) functions.recompute.dropIdle()
  }
  if (faults.fires('bucket full outage', 0.5))
    archiveBucket.outageUntilMs = scheduler.clock() + random() * OUTAGE_MAX_MS
  if (faults.fires('mapping restart')) await mappings.restart(random() < 0.5 ? 'recompute' : 'archive')
  if (faults.fires('snapshot', 0.3)) start(() => snapshot(simulation))
  if (faults.fires('backfill', 0.5)) {
    start(() => runBackfill(simulation, anyBackfill(simulation)))
  }
}

function anyBackfill({ random, log }: Simulation): Pick<BackfillRequest, 'target' | 'only'> {
  const kinds = ['incomplete', 'doubt', 'letters', 'named', 'named', 'named'] as const
  const kind = kinds[Math.floor(random() * kinds.length)] ?? 'doubt'
  switch (kind) {
    case 'letters':
      return { target: { kind, reason: 'late' } }
    case 'incomplete':
      return { target: { kind, feature: undefined } }
    case 'named':
      return { target: { kind }, only: new Set(log.flatMap(({ event }) => event?.userId ?? [])) }
    case 'doubt':
      return { target: { kind } }
  }
}

class Mappings {
  readonly #simulation: Simulation
  readonly #checkpoints = { recompute: memoryCheckpoints(), archive: memoryCheckpoints() }
  readonly #running = new Map<MappedName, EventSourceMapping>()

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  async start(): Promise<void> {
    for (const name of ['recompute', 'archive'] as const) {
      this.#running.set(name, await startMapping(this.#simulation, name, this.#checkpoints[name]))
    }
  }

  async restart(name: MappedName): Promise<void> {
    this.#simulation.trace(`${name} mapping starts again`)
    this.#running.get(name)?.kill()
    this.#simulation.stream.wakePollers()
    this.#running.set(name, await startMapping(this.#simulation, name, this.#checkpoints[name]))
  }

  /** Throws where anything is left to be delivered after so long without a fault. */
  async comeToRest(): Promise<void> {
    const { scheduler, stream } = this.#simulation
    const untilMs = scheduler.clock() + REST_MS
    let isDone = false
    const done = new Promise<void>(resolve => {
      void (async () => {
        while (!isDone) {
          stream.wakePollers()
          await scheduler.sleep(REST_POLL_MS)
        }
        resolve()
      })()
    })
    for (const mapping of this.#running.values()) mapping.hurryUntil(done)
    const isQuiet = this.#quietness()
    while (!isQuiet()) {
      for (const mapping of this.#running.values()) mapping.assertRunning()
      if (scheduler.clock() > untilMs)
        throw new Error(`There is a lag after ${REST_MS / 60_000} minutes without a fault`)
      await scheduler.sleep(REST_POLL_MS)
    }
    isDone = true
    await done
  }

  async stop(): Promise<void> {
    const stopped = [...this.#running.values()].map(mapping => mapping.stop())
    this.#simulation.stream.wakePollers()
    await Promise.all(stopped)
  }

  /** All records are settled, by their number. */
  #quietness(): () => boolean {
    let quiet = 0
    return () => {
      const counters = [...this.#running.values()].flatMap(mapping => mapping.counters())
      quiet = counters.every(({ pending }) => pending === 0) ? quiet + 1 : 0
      return quiet > 10
    }
  }
}

/** As an operator would, with nothing in the way. */
async function bringIn(simulation: Simulation): Promise<void> {
  simulation.trace('what was set aside is brought in')
  for (const reason of ['item-corrupt', 'late', 'given-up']) {
    await runBackfill(simulation, { target: { kind: 'letters', reason } })
  }
  await runBackfill(simulation, { target: { kind: 'doubt' } })
  await runBackfill(simulation, { target: { kind: 'incomplete', feature: undefined } })
}

function assertRight(simulation: Simulation, isFinal: boolean): void {
  const problems = [...simulation.broken.map(({ message }) => message), ...judge(simulation, isFinal)]
  if (problems.length === 0) return
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX).join('\n  ')
  throw new Error(`${isFinal ? 'at the end' : 'at rest'}, ${problems.length} problems:\n  ${shown}`)
}

/** At least once, taken literally. */
async function everythingAgain(simulation: Simulation): Promise<void> {
  const { log, table, functions } = simulation
  const before = snapshotOf(table.items)
  for (let from = 0; from < log.length; from += SECOND_TIME_BATCH) {
    for (const records of byShard(log.slice(from, from + SECOND_TIME_BATCH))) {
      const source = {
        streamArn: `arn:aws:kinesis:us-east-1:000000000000:stream/${STREAM}`,
        roleArn: 'role',
        region: 'us-east-1',
      }
      const mapped = records.map(({ record }) => mapRecord(record, { ...source, shard: record.shard }))
      const outcome = await functions.recompute.invoke(eventOf(mapped))
      if (outcome.kind !== 'returned' || outcome.payload !== '{"batchItemFailures":[]}') {
        throw new Error(`The second time: ${JSON.stringify(outcome)}`)
      }
    }
  }
  const after = snapshotOf(table.items)
  for (const [userId, text] of after) {
    if (before.get(userId) !== text) throw new Error(`The whole log again changed the item of ${userId}`)
  }
}

function snapshotOf(items: ReadonlyMap<string, unknown>): Map<string, string> {
  return new Map([...items].map(([userId, item]) => [userId, JSON.stringify(item)]))
}

function byShard<T extends { readonly record: { readonly shard: string } }>(records: readonly T[]): T[][] {
  const groups = new Map<string, T[]>()
  for (const logged of records) groups.set(logged.record.shard, [...(groups.get(logged.record.shard) ?? []), logged])
  return [...groups.values()]
}
