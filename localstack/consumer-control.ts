// What is asked of an event source mapping while it runs: to pause, to go on, to hurry, to stop. Its consumers look here before
// everything that they begin, and are woken here while they wait.
import type { Sleep } from '../src/platform/clock.ts'
import { type Signal, signal } from './signal.ts'

export interface ConsumerControl {
  readonly isStopped: () => boolean
  /** Nothing may have an effect any more: no checkpoint, no counter, no object. */
  readonly isKilled: () => boolean
  readonly isEnabled: () => boolean
  /** True while somebody waits for the stream to be drained: batching windows then end at once. */
  readonly isHurried: () => boolean
  /** Waits while the mapping is disabled; false once it is stopped. */
  readonly mayGoOn: () => Promise<boolean>
  /** Sleeps; false where the mapping was stopped meanwhile. */
  readonly pause: (ms: number) => Promise<boolean>
  /** Runs an invocation, which disabling waits for. */
  readonly invoking: <Outcome>(run: () => Promise<Outcome>) => Promise<Outcome>
  /** Raised when any answer above may have changed. */
  readonly changed: Signal
}

export interface ConsumerSwitches {
  readonly setEnabled: (isEnabled: boolean) => Promise<void>
  readonly hurryUntil: (done: Promise<unknown>) => void
  readonly stop: () => void
  readonly kill: () => void
}

export function consumerControl(isEnabledAtStart: boolean, sleep: Sleep): ConsumerControl & ConsumerSwitches {
  let isEnabled = isEnabledAtStart
  let isStopped = false
  let isKilled = false
  let inFlight = 0
  const hurriers = new Set<Promise<unknown>>()
  const changed = signal()
  const stopped = signal()
  const stop = (): void => {
    isStopped = true
    stopped.raise()
    changed.raise()
  }
  return {
    changed,
    isStopped: () => isStopped,
    isKilled: () => isKilled,
    isEnabled: () => isEnabled,
    isHurried: () => hurriers.size > 0,
    mayGoOn: async () => {
      while (!isEnabled && !isStopped) await changed.wait()
      return !isStopped
    },
    pause: async ms => {
      if (!isStopped) await stopped.wait(sleep(ms))
      return !isStopped
    },
    invoking: async run => {
      inFlight++
      try {
        return await run()
      } finally {
        inFlight--
        if (!isEnabled && inFlight === 0) changed.raise()
      }
    },
    setEnabled: async isWanted => {
      isEnabled = isWanted
      changed.raise()
      while (!isEnabled && inFlight > 0 && !isStopped) await changed.wait()
    },
    hurryUntil: done => {
      hurriers.add(done)
      const forget = (): void => void hurriers.delete(done)
      done.then(forget, forget)
      changed.raise()
    },
    stop,
    kill: () => {
      isKilled = true
      stop()
    },
  }
}
