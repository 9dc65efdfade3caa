// Simulated time: who sleeps is woken in the order of time, one at a time, and everything that a wake sets off has run before the
// next. So one seed is one schedule, and hours pass in milliseconds.

export interface Scheduler {
  readonly clock: () => number
  readonly sleep: (ms: number) => Promise<void>
  /** Runs until the promise is settled. Throws SimulationStuck where nobody sleeps and it is not. */
  readonly run: <T>(work: Promise<T>) => Promise<T>
  /** Wakes so far. */
  readonly wakes: () => number
}

/** Nobody sleeps, so nothing will ever happen: somebody waits for what does not come. */
export class SimulationStuck extends Error {}

/** More than any seed needs: a run that does not end is a finding and not a wait. */
const WAKES_MAX = 2_000_000

interface Sleeper {
  readonly wakeMs: number
  /** Of two that wake at one instant the one that lay down first. */
  readonly order: number
  readonly wake: () => void
}

export function newScheduler(startMs: number): Scheduler {
  const heap: Sleeper[] = []
  let nowMs = startMs
  let order = 0
  let wakes = 0
  return {
    // Whole milliseconds, as every clock here gives; who sleeps keeps the fraction, so that no two tie.
    clock: () => Math.floor(nowMs),
    sleep: ms => new Promise(wake => push(heap, { wakeMs: nowMs + Math.max(0, ms), order: order++, wake })),
    wakes: () => wakes,
    async run(work) {
      let isSettled = false
      const settled = (): void => void (isSettled = true)
      work.then(settled, settled)
      for (;;) {
        // Every continuation of the last wake has run when this resolves: promises come before immediates.
        await new Promise(resolve => setImmediate(resolve))
        if (isSettled) return work
        const next = pop(heap)
        if (next === undefined) throw new SimulationStuck('Nobody sleeps, and what is waited for has not happened')
        if (++wakes > WAKES_MAX) throw new SimulationStuck(`Not over after ${WAKES_MAX} wakes`)
        nowMs = next.wakeMs
        next.wake()
      }
    },
  }
}

function isBefore(a: Sleeper, b: Sleeper): boolean {
  return a.wakeMs < b.wakeMs || (a.wakeMs === b.wakeMs && a.order < b.order)
}

function push(heap: Sleeper[], sleeper: Sleeper): void {
  let index = heap.push(sleeper) - 1
  while (index > 0) {
    const parent = (index - 1) >> 1
    if (!isBefore(sleeper, heap[parent] as Sleeper)) break
    heap[index] = heap[parent] as Sleeper
    index = parent
  }
  heap[index] = sleeper
}

function pop(heap: Sleeper[]): Sleeper | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let index = 0
  for (;;) {
    let child = 2 * index + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Sleeper, heap[child] as Sleeper)) child++
    if (!isBefore(heap[child] as Sleeper, last)) break
    heap[index] = heap[child] as Sleeper
    index = child
  }
  heap[index] = last
  return first
}
