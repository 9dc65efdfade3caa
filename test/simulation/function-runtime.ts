// Lambda as the simulation has it: containers that run one invocation at a time, are kept warm, die at any call, run out of time, and
// run the code of yesterday or of today. The handlers are the deployed ones.
import type { InvokeOutcome } from '../../localstack/invoke-outcome.ts'
import type { Random } from '../../src/platform/random.ts'
import type { Faults } from './faults.ts'
import { never, SimulatedProcess } from './process.ts'
import type { Scheduler } from './scheduler.ts'

/** What a container has made at its cold start. */
export type Handle = (event: unknown) => Promise<unknown>

export interface Container {
  readonly process: SimulatedProcess
  /** Ms left to the running invocation. */
  remainingMs: () => number
}

export interface FunctionOptions {
  readonly name: string
  readonly scheduler: Scheduler
  readonly random: Random
  readonly faults: Faults
  readonly trace: (line: string) => void
  readonly timeoutMs: () => number
  readonly build: (container: Container) => Handle
}

export interface SimulatedFunction {
  readonly invoke: (event: string) => Promise<InvokeOutcome>
  /** As a deploy does: who is idle is not used again. */
  readonly dropIdle: () => void
  /** Nothing that was delivered until now is delivered again, and nobody who is idle is used again. */
  readonly forget: () => void
  /** Deliveries on top of those of the mapping that are not over. */
  readonly settled: () => Promise<unknown>
}

interface WarmContainer extends Container {
  readonly handle: Handle
  invocation: number
}

const REDELIVERY_MAX_MS = 90_000
/** A container that is killed has done something first. */
const SUDDEN_DEATH_MAX_MS = 400
const EVENTS_KEPT = 30
const NOT_INVOKED: InvokeOutcome = { kind: 'not-invoked', errorType: 'TooManyRequestsException', errorMessage: '' }

export function simulatedFunction(options: FunctionOptions): SimulatedFunction {
  const { scheduler, random, faults, trace, name } = options
  let idle: WarmContainer[] = []
  let containers = 0
  const redeliveries = new Set<Promise<unknown>>()
  const delivered: string[] = []

  function newContainer(): WarmContainer {
    const process = new SimulatedProcess({ ...options, name: `${name}-${++containers}` })
    const container: Container = {
      process,
      remainingMs: () => Number.POSITIVE_INFINITY,
    }
    return Object.assign(container, { handle: options.build(container), invocation: 0 })
  }

  async function run(event: string): Promise<InvokeOutcome> {
    const container = idle.pop() ?? newContainer()
    const { process } = container
    const invocation = ++container.invocation
    const isRunning = (): boolean => container.invocation === invocation
    const endMs = scheduler.clock() + options.timeoutMs()
    container.remainingMs = () => endMs - scheduler.clock()
    process.scope = partitionKeysOf(event)
    killAfter(options.timeoutMs(), 'Sandbox.Timedout')
    if (faults.fires('function timeout')) killAfter(random() * SUDDEN_DEATH_MAX_MS, 'Sandbox.Timedout')
    const died = process.died.then((errorType): InvokeOutcome => ({ kind: 'failed', errorType, errorMessage: name }))
    const outcome = await Promise.race([died, answer(container, event)])
    container.invocation++
    if (process.isAlive) idle.push(container)
    return outcome

    function killAfter(ms: number, reason: string): void {
      void scheduler.sleep(ms).then(() => {
        if (isRunning()) process.kill(reason)
      })
    }
  }

  async function answer({ handle, process }: WarmContainer, event: string): Promise<InvokeOutcome> {
    try {
      const result = await handle(JSON.parse(event))
      if (!process.isAlive) return await never()
      return { kind: 'returned', payload: JSON.stringify(result) ?? 'null' }
    } catch (error) {
      if (!process.isAlive) return never()
      const known = error instanceof Error ? error : new Error(String(error))
      trace(`${process.name} throws ${known.name}: ${known.message}`)
      return { kind: 'failed', errorType: known.name, errorMessage: known.message }
    }
  }

  /** At least once means: sometimes again, later, beside newer batches, by whoever is there. */
  function deliverAgain(event: string): void {
    const task = scheduler.sleep(random() * REDELIVERY_MAX_MS).then(() => run(event))
    redeliveries.add(task)
    void task.finally(() => redeliveries.delete(task))
  }

  return {
    async invoke(event) {
      if (faults.fires('not invoked')) return NOT_INVOKED
      if (faults.fires('duplicate delivery')) deliverAgain(event)
      const old = delivered[Math.floor(random() * delivered.length)]
      if (old !== undefined && faults.fires('late delivery of an old batch')) deliverAgain(old)
      delivered.push(event)
      if (delivered.length > EVENTS_KEPT) delivered.shift()
      return run(event)
    },
    dropIdle: () => {
      idle = []
    },
    forget: () => {
      idle = []
      delivered.length = 0
    },
    settled: async () => {
      while (redeliveries.size > 0) await Promise.all(redeliveries)
    },
  }
}

function partitionKeysOf(event: string): ReadonlySet<string> {
  const { Records } = JSON.parse(event) as { Records: { kinesis: { partitionKey: string } }[] }
  return new Set(Records.map(({ kinesis }) => kinesis.partitionKey))
}
