// A process that may die at any of its calls: from then on none of its calls comes back, while what it had sent before still
// arrives. Lambda's sandbox, an operator's command and a local worker are such processes.
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { readServiceFailure } from '../../src/platform/service-failure.ts'
import type { Faults } from './faults.ts'
import type { Scheduler } from './scheduler.ts'
import type { Random } from '../../src/platform/random.ts'

export interface ProcessOptions {
  readonly name: string
  readonly scheduler: Scheduler
  readonly random: Random
  readonly faults: Faults
  readonly trace: (line: string) => void
}

/** How a service fails, each service in its own errors. */
export interface ServiceErrors {
  readonly throttled: () => Error
  readonly serverError: () => Error
  /** No answer in time; it may have happened. */
  readonly timedOut: () => Error
  readonly refused: () => Error
}

const LATENCY_MIN_MS = 1
const LATENCY_MAX_MS = 12
/** A call that is slow comes back after the client has given it up. */
const CLIENT_TIMEOUT_MS = 5_000
export const SLOW_MAX_MS = 40_000
const SDK_ATTEMPTS_MAX = 3
const SDK_RETRY_CAP_MS = 100

export class SimulatedProcess {
  readonly name: string
  isAlive = true
  /** Users that what it does now may touch; undefined: anybody. */
  scope: ReadonlySet<string> | undefined
  readonly #options: ProcessOptions
  readonly #ended: Promise<string>
  #end: (reason: string) => void = () => undefined

  constructor(options: ProcessOptions) {
    this.name = options.name
    this.#options = options
    this.#ended = new Promise(resolve => (this.#end = resolve))
  }

  /** Resolves with the reason when it has died. */
  get died(): Promise<string> {
    return this.#ended
  }

  kill(reason: string): void {
    if (!this.isAlive) return
    this.isAlive = false
    this.#options.trace(`${this.name} dies: ${reason}`)
    this.#end(reason)
  }

  /** Sleeps of a dead process never end. */
  readonly sleep = async (ms: number): Promise<void> => {
    await this.#options.scheduler.sleep(ms)
    if (!this.isAlive) await never()
  }

  /** One call of an SDK's client: up to three tries, as it makes them by itself; what a try did before it failed stays done. */
  async call<T>(what: string, errors: ServiceErrors, effect: () => T): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      if (!this.isAlive) return never()
      try {
        return await this.#send(what, errors, effect)
      } catch (error) {
        if (attempt === SDK_ATTEMPTS_MAX || !isFailedByService(error)) throw error
        await this.sleep(this.#options.random() * SDK_RETRY_CAP_MS * attempt)
      }
    }
  }

  async #send<T>(what: string, errors: ServiceErrors, effect: () => T): Promise<T> {
    const { faults, scheduler } = this.#options
    if (faults.fires('connection refused')) throw this.#failed(what, errors.refused())
    const isCrashBefore = faults.fires('crash before call', 0.5)
    // Sent or not: a process that dies while it sends cannot know either.
    if (isCrashBefore) this.kill(`before ${what}`)
    if (isCrashBefore && this.#options.random() < 0.5) return never()
    if (faults.fires('call slow', 0.5)) return this.#sendSlowly(what, errors, effect)
    await scheduler.sleep(this.#latencyMs())
    if (faults.fires('throttle')) return this.#refuse(what, errors.throttled())
    if (faults.fires('server error')) return this.#refuse(what, errors.serverError())
    const result = effect()
    if (faults.fires('crash after call', 0.5)) this.kill(`after ${what}`)
    await scheduler.sleep(this.#latencyMs())
    if (!this.isAlive) return never()
    if (faults.fires('answer lost')) throw this.#failed(what, errors.timedOut())
    return result
  }

  /** Given up by the client, and done all the same when the service gets to it: then it is a zombie's write. */
  async #sendSlowly<T>(what: string, errors: ServiceErrors, effect: () => T): Promise<T> {
    const { random, scheduler, trace } = this.#options
    const afterMs = random() * SLOW_MAX_MS
    const late = scheduler.sleep(afterMs).then(() => {
      trace(`${this.name}: ${what} arrives after ${Math.round(afterMs)} ms`)
      return effect()
    })
    // Nobody may be left to hear of it.
    late.catch(() => undefined)
    await scheduler.sleep(Math.min(afterMs, CLIENT_TIMEOUT_MS))
    if (!this.isAlive) return never()
    if (afterMs > CLIENT_TIMEOUT_MS) throw this.#failed(what, errors.timedOut())
    return late
  }

  async #refuse(what: string, error: Error): Promise<never> {
    await this.#options.scheduler.sleep(this.#latencyMs())
    if (!this.isAlive) return never()
    throw this.#failed(what, error)
  }

  #failed(what: string, error: Error): Error {
    this.#options.trace(`${this.name}: ${what} fails: ${error.name}`)
    return error
  }

  #latencyMs(): number {
    return LATENCY_MIN_MS + this.#options.random() * (LATENCY_MAX_MS - LATENCY_MIN_MS)
  }
}

export function never(): Promise<never> {
  return new Promise(() => undefined)
}

/** Not what the service decided: a condition that failed is an answer. */
function isFailedByService(error: unknown): boolean {
  return !(error instanceof ConditionalCheckFailedException) && readServiceFailure(error).isRetriable
}
