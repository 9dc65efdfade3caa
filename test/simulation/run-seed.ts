// One seed from its first record to its last check. The workload and its faults, then rest: faults stop, lag must return to zero; then
// what was set aside is brought in as an operator would; then the whole log once more, which must change no byte.
import { eventOf, mapRecord } from '../../localstack/mapped-record.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { interfere } from './interfere.ts'
import { Mappings } from './mappings.ts'
import { repair, replayLettersOf, runBackfill } from './operators.ts'
import { judge } from './oracle.ts'
import { SLOW_MAX_MS } from './process.ts'
import { Workload } from './workload.ts'
import { newSimulation, type Simulation, type SimulationRequest, STREAM } from './world.ts'

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
  await workload(simulation, seed, { mappings, tasks })
  faults.isOver = true
  archiveBucket.outageUntilMs = 0
  trace('faults stop')
  await Promise.all(tasks)
  await mappings.replaySkipped()
  await Promise.all([functions.recompute.settled(), functions.archive.settled()])
  await mappings.comeToRest()
  assertRight(simulation, false)
  await bringIn(simulation)
  assertRight(simulation, true)
  await everythingAgain(simulation)
  await mappings.stop()
}

async function workload(
  simulation: Simulation,
  seed: number,
  parts: { readonly mappings: Mappings; readonly tasks: Promise<unknown>[] },
): Promise<void> {
  const { scheduler, stream, epoch, settings, log, random } = simulation
  const upstream = new Workload(settings, seededRandom(seed ^ 0xeeee))
  for (let index = 0; index < settings.events; index++) {
    const sent = upstream.next(scheduler.clock())
    const arrivalMs = scheduler.clock()
    const { partitionKey, dataBase64 } = sent
    const put = stream().put(partitionKey, dataBase64, arrivalMs)
    log.push({ ...sent, record: { stream: `${STREAM}@${epoch()}`, ...put, arrivalMs, partitionKey, dataBase64 } })
    await scheduler.sleep(random() < BURST_SHARE ? random() * BURST_GAP_MS : random() * settings.gapMaxMs)
    await interfere({ simulation, ...parts })
    if (simulation.broken[0] !== undefined) throw simulation.broken[0]
  }
}

/** As an operator would, with nothing in the way: also not what a process that died sent long ago. */
async function bringIn(simulation: Simulation): Promise<void> {
  await simulation.scheduler.sleep(SLOW_MAX_MS)
  simulation.trace('what was set aside is brought in')
  await repair(simulation)
  await runBackfill(simulation, { target: { kind: 'doubt' } })
  // One way or the other.
  if (simulation.random() < 0.5) await replayLettersOf(simulation)
  for (const reason of ['item-corrupt', 'late', 'given-up']) {
    await runBackfill(simulation, { target: { kind: 'letters', reason } })
  }
  await runBackfill(simulation, { target: { kind: 'incomplete', feature: undefined } })
}

function assertRight(simulation: Simulation, isFinal: boolean): void {
  const problems = [...simulation.broken.map(({ message }) => message), ...judge(simulation, isFinal)]
  if (problems.length === 0) return
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX).join('\n  ')
  throw new Error(`${isFinal ? 'at the end' : 'at rest'}, ${problems.length} problems:\n  ${shown}`)
}

/** At least once, taken literally: what the stream has now is delivered again from its beginning. */
async function everythingAgain(simulation: Simulation): Promise<void> {
  const { log, table, functions, epoch } = simulation
  const ofStream = log.filter(({ record }) => record.stream === `${STREAM}@${epoch()}`)
  const before = textsOf(table.items)
  for (let from = 0; from < ofStream.length; from += SECOND_TIME_BATCH) {
    for (const records of byShard(ofStream.slice(from, from + SECOND_TIME_BATCH))) {
      const streamArn = `arn:aws:kinesis:us-east-1:000000000000:stream/${STREAM}`
      const source = { streamArn, roleArn: 'role', region: 'us-east-1' }
      const mapped = records.map(({ record }) => mapRecord(record, { ...source, shard: record.shard }))
      const outcome = await functions.recompute.invoke(eventOf(mapped))
      if (outcome.kind !== 'returned' || outcome.payload !== '{"batchItemFailures":[]}') {
        throw new Error(`The second time: ${JSON.stringify(outcome)}`)
      }
    }
  }
  for (const [userId, text] of textsOf(table.items)) {
    if (before.get(userId) !== text) throw new Error(`The whole log again changed the item of ${userId}`)
  }
}

function textsOf(items: ReadonlyMap<string, unknown>): Map<string, string> {
  return new Map([...items].map(([userId, item]) => [userId, JSON.stringify(item)]))
}

function byShard<T extends { readonly record: { readonly shard: string } }>(records: readonly T[]): T[][] {
  const groups = new Map<string, T[]>()
  for (const logged of records) groups.set(logged.record.shard, [...(groups.get(logged.record.shard) ?? []), logged])
  return [...groups.values()]
}
