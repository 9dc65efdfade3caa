// Which faults a seed has, how likely each is, and how often each has fired. A fault is armed for a run or not, so that some runs
// have one kind only and some have all at once.
import type { Random } from '../../src/platform/random.ts'

/** What can go wrong at a call, and what somebody does in between. */
export const FAULTS = [
  'crash before call',
  'crash after call',
  'throttle',
  'server error',
  'answer lost',
  'call slow',
  'unprocessed keys',
  'condition without item',
  'connection refused',
  'conflict 409',
  'duplicate delivery',
  'late delivery of an old batch',
  'function timeout',
  'not invoked',
  'clock skew',
  'split',
  'merge',
  'mapping restart',
  'model swap',
  'model unavailable',
  'other code',
  'backfill',
  'damage',
  'repair',
  'replay of letters',
  'snapshot',
  'given up',
  'archive outage',
  'child before parent',
  'mapping paused',
  'backlog skipped',
  'stream created anew',
] as const

export type Fault = (typeof FAULTS)[number]

export interface FaultOptions {
  readonly random: Random
  /** Never armed, whatever the seed says: how a failure is made smaller. */
  readonly without: ReadonlySet<Fault>
}

const ARMED_SHARE = 0.35
/** Of the calls at which an armed fault may fire. */
const RARE = 0.01
const OFTEN = 0.08

export class Faults {
  readonly fired = new Map<Fault, number>()
  /** Faults stop when the workload is over: what is left must then come to rest. */
  isOver = false
  readonly #rates = new Map<Fault, number>()
  readonly #random: Random

  constructor({ random, without }: FaultOptions) {
    this.#random = random
    for (const fault of FAULTS) {
      // Drawn for all alike, so that leaving one out changes as little as can be of the rest.
      const [armed, rate] = [random(), random()]
      if (armed < ARMED_SHARE && !without.has(fault)) this.#rates.set(fault, RARE + rate * (OFTEN - RARE))
    }
  }

  isArmed(fault: Fault): boolean {
    return this.#rates.has(fault)
  }

  /** Whether it happens here and now, and it is counted. */
  fires(fault: Fault, weight = 1): boolean {
    const rate = this.#rates.get(fault)
    if (rate === undefined || this.isOver) return false
    if (this.#random() >= rate * weight) return false
    this.count(fault)
    return true
  }

  count(fault: Fault): void {
    this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1)
  }
}
