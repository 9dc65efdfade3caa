// Time in memory: it stands still while anything runs, and jumps to the next sleeper when nothing does.
import type { Clock, Sleep } from '../../src/platform/clock.ts'

export interface VirtualTime {
  readonly clock: Clock
  readonly sleep: Sleep
  /** Lets everything run and jumps from sleeper to sleeper until the condition holds. */
  runUntil(isDone: () => boolean): Promise<void>
}

/** More turns than any test needs: one that waits for what never comes fails instead of hanging. */
const TURNS_MAX = 20_000
const START_MS = 1_700_000_000_000

export interface VirtualTimeOptions {
  readonly startMs?: number
  readonly turnsMax?: number
}

export function virtualTime({ startMs = START_MS, turnsMax = TURNS_MAX }: VirtualTimeOptions = {}): VirtualTime {
  let nowMs = startMs
  const sleepers = sleeperHeap()
  return {
    clock: () => nowMs,
    sleep: ms => new Promise(wake => sleepers.push({ wakeMs: nowMs + ms, wake })),
    runUntil: async isDone => {
      for (let turn = 0; turn < turnsMax; turn++) {
        await new Promise(resolve => setImmediate(resolve))
        if (isDone()) return
        const next = sleepers.pop()
        if (next === undefined) continue
        nowMs = Math.max(nowMs, next.wakeMs)
        next.wake()
      }
      throw new Error('the condition never held')
    },
  }
}

interface Sleeper {
  readonly wakeMs: number
  readonly wake: () => void
}

interface QueuedSleeper extends Sleeper {
  /** Who went to sleep first wakes first. */
  readonly order: number
}

/** A binary heap: a simulation has many sleepers at once. */
function sleeperHeap(): { push(sleeper: Sleeper): void; pop(): Sleeper | undefined } {
  const heap: QueuedSleeper[] = []
  let order = 0
  const isBefore = (one: QueuedSleeper, other: QueuedSleeper): boolean =>
    one.wakeMs < other.wakeMs || (one.wakeMs === other.wakeMs && one.order < other.order)

  function place(sleeper: QueuedSleeper, from: number): void {
    let at = from
    for (let parentAt = (at - 1) >> 1; at > 0; parentAt = (at - 1) >> 1) {
      const parent = heap[parentAt]
      if (parent === undefined || !isBefore(sleeper, parent)) break
      heap[at] = parent
      at = parentAt
    }
    heap[at] = sleeper
  }

  /** Moves smaller children up from the root until the last sleeper fits. */
  function replaceRoot(sleeper: QueuedSleeper): void {
    let at = 0
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
      if (left === undefined) break
      const isRight = right !== undefined && isBefore(right, left)
      const child = isRight ? right : left
      if (!isBefore(child, sleeper)) break
      heap[at] = child
      at = 2 * at + (isRight ? 2 : 1)
    }
    heap[at] = sleeper
  }

  return {
    push: sleeper => place({ ...sleeper, order: order++ }, heap.length),
    pop: () => {
      const first = heap[0]
      const last = heap.pop()
      if (heap.length > 0 && last !== undefined) replaceRoot(last)
      return first
    },
  }
}
