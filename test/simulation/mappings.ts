// The two event source mappings of the simulated deployment: the local cloud's own, on simulated time.
import { memoryCheckpoints } from '../../localstack/checkpoints.ts'
import type { MappingPlan } from '../../localstack/deployment-plan.ts'
import { type EventSourceMapping, startEventSourceMapping } from '../../localstack/event-source-mapping.ts'
import type { Checkpoints } from '../../localstack/mapped-stream.ts'
import { HOUR_MS } from '../../src/platform/duration.ts'
import { STREAM, type Simulation } from './world.ts'

const POLL_MS = 1_000
const STREAM_ARN = `arn:aws:kinesis:us-east-1:000000000000:stream/${STREAM}`

export type MappedName = 'recompute' | 'archive'

/** Simulated time in which everything must have come to rest once nothing is in the way. */
const REST_MS = 4 * HOUR_MS
const REST_POLL_MS = 500
/** Looks at which nothing is pending, one after the other: a poller may be between two. */
const QUIET_LOOKS = 8
const PAUSE_MAX_MS = 300_000

export class Mappings {
  readonly #simulation: Simulation
  readonly #checkpoints = new Map<MappedName, Checkpoints>()
  readonly #running = new Map<MappedName, EventSourceMapping>()
  #hasSkipped = false
  #pause: Promise<void> = Promise.resolve()

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  async start(): Promise<void> {
    for (const name of ['recompute', 'archive'] as const) await this.#startAnew(name, 'TRIM_HORIZON')
  }

  /** As if its machine died: from its last checkpoint. */
  async restart(name: MappedName): Promise<void> {
    this.#simulation.trace(`${name} mapping starts again`)
    this.#kill(name)
    await this.#startAgain(name, 'TRIM_HORIZON')
  }

  /** Somebody deletes the mapping and makes another one that begins with what comes now. */
  async skipBacklog(): Promise<void> {
    this.#simulation.trace('the backlog is skipped')
    this.#hasSkipped = true
    this.#kill('recompute')
    await this.#startAnew('recompute', 'LATEST')
  }

  /** What was skipped is delivered, and all else a second time. */
  async replaySkipped(): Promise<void> {
    if (!this.#hasSkipped) return
    this.#simulation.trace('the stream is delivered from its beginning')
    this.#hasSkipped = false
    await this.#stopOne('recompute')
    await this.#startAnew('recompute', 'TRIM_HORIZON')
  }

  /** Another stream of the same name, when everything in the first one is delivered. */
  async recreateStream(): Promise<void> {
    await this.replaySkipped()
    await this.comeToRest()
    await this.stop()
    await this.#simulation.recreateStream()
    await this.start()
  }

  async pause(): Promise<void> {
    this.#pause = this.#pauseFor()
    await this.#pause
  }

  async #pauseFor(): Promise<void> {
    const { scheduler, random, stream, trace } = this.#simulation
    const mapping = this.#running.get('recompute')
    trace('recompute mapping is paused')
    await mapping?.setEnabled(false)
    await scheduler.sleep(random() * PAUSE_MAX_MS)
    await mapping?.setEnabled(true)
    stream().wakePollers()
  }

  /** Throws where anything is left to be delivered after so long. */
  async comeToRest(): Promise<void> {
    await this.#pause
    const { scheduler, stream } = this.#simulation
    const untilMs = scheduler.clock() + REST_MS
    let rested: () => void = () => undefined
    const done = new Promise<void>(resolve => (rested = resolve))
    for (const mapping of this.#running.values()) mapping.hurryUntil(done)
    for (let quiet = 0; quiet < QUIET_LOOKS; quiet = this.#isQuiet() ? quiet + 1 : 0) {
      if (scheduler.clock() > untilMs) throw new Error(`There is a lag after ${REST_MS / HOUR_MS} hours`)
      for (const mapping of this.#running.values()) {
        mapping.assertRunning()
        await mapping.refreshShards()
      }
      stream().wakePollers()
      await scheduler.sleep(REST_POLL_MS)
    }
    rested()
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map(name => this.#stopOne(name)))
  }

  #isQuiet(): boolean {
    const counters = [...this.#running.values()].flatMap(mapping => mapping.counters())
    return counters.every(({ pending }) => pending === 0)
  }

  async #stopOne(name: MappedName): Promise<void> {
    const stopped = this.#running.get(name)?.stop()
    this.#simulation.stream().wakePollers()
    await stopped
  }

  #kill(name: MappedName): void {
    this.#running.get(name)?.kill()
    this.#simulation.stream().wakePollers()
  }

  async #startAnew(name: MappedName, from: 'TRIM_HORIZON' | 'LATEST'): Promise<void> {
    this.#checkpoints.set(name, memoryCheckpoints())
    await this.#startAgain(name, from)
  }

  async #startAgain(name: MappedName, from: 'TRIM_HORIZON' | 'LATEST'): Promise<void> {
    const checkpoints = this.#checkpoints.get(name) ?? memoryCheckpoints()
    this.#running.set(name, await startMapping(this.#simulation, name, { checkpoints, from }))
  }
}

interface MappingStart {
  readonly checkpoints: Checkpoints
  readonly from: 'TRIM_HORIZON' | 'LATEST'
}

async function startMapping(
  simulation: Simulation,
  name: MappedName,
  { checkpoints, from }: MappingStart,
): Promise<EventSourceMapping> {
  const { scheduler, functions, random, archiveBucket, faults, trace } = simulation
  let mapping: EventSourceMapping | undefined
  mapping = await startEventSourceMapping(
    {
      mapping: { ...planOf(simulation, name), startingPosition: { type: from } },
      roleArn: `arn:aws:iam::000000000000:role/${name}`,
      region: 'us-east-1',
      pollMs: POLL_MS,
      isChildBeforeParentAllowed: () => name === 'recompute' && faults.fires('child before parent', 8),
    },
    {
      stream: simulation.stream(),
      invoke: functions[name].invoke,
      checkpoints,
      clock: scheduler.clock,
      // Who polls an empty stream waits for news instead: hours of silence cost nothing.
      sleep: ms => (ms === POLL_MS && isIdle(mapping) ? pause(simulation) : scheduler.sleep(ms)),
      random,
      log: line => trace(`${name} mapping: ${line}`),
      onFailure: async ({ key, body }) => {
        faults.count('given up')
        archiveBucket.put(key, Buffer.from(body))
      },
    },
  )
  return mapping
}

async function pause({ stream, scheduler }: Simulation): Promise<void> {
  await stream().activity()
  await scheduler.sleep(1)
}

function isIdle(mapping: EventSourceMapping | undefined): boolean {
  return mapping?.counters().every(({ pending }) => pending === 0) ?? false
}

function planOf({ settings }: Simulation, name: MappedName): Omit<MappingPlan, 'startingPosition'> {
  const common = {
    logicalId: `${name}Mapping`,
    uuid: `00000000-0000-0000-0000-00000000000${name === 'recompute' ? 1 : 2}`,
    streamName: STREAM,
    streamArn: STREAM_ARN,
    functionName: name,
    functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    isEnabled: true,
    maximumRecordAgeMs: -1,
    reportsBatchItemFailures: true,
  } as const
  if (name === 'archive') {
    return {
      ...common,
      batchSize: 1_000,
      batchingWindowMs: 5_000,
      parallelizationFactor: 1,
      bisectsBatchOnFunctionError: false,
      maximumRetryAttempts: -1,
      onFailureBucket: undefined,
    }
  }
  const { batchSize, batchingWindowMs, parallelizationFactor, bisects, maximumRetryAttempts } = settings
  return {
    ...common,
    batchSize,
    batchingWindowMs,
    parallelizationFactor,
    bisectsBatchOnFunctionError: bisects,
    maximumRetryAttempts,
    onFailureBucket: 'archive',
  }
}
