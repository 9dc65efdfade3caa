// One side of `protection.ts` in a process of its own: the code that lies beside this file, and nothing that another copy has taught
// the compiler. Sends what it measured to its parent.
import { type Mix, protectionWorkload, type Written } from './protection-workload.ts'

export interface Measured {
  readonly events: number
  readonly microsecondsPerEvent: number
  readonly written: Written
}

/** A run is a batch of 500 events; the first are the compiler's. */
const WARM_UP_MS = 2_500
const MEASURED_MS = 4_000

const workload = await protectionWorkload(process.argv[2] as Mix)
await runsFor(WARM_UP_MS)
const runs = await runsFor(MEASURED_MS)
const measured: Measured = {
  events: workload.events,
  microsecondsPerEvent: undisturbed(runs) / workload.events,
  written: await workload.written(),
}
workload.stop()
process.send?.(measured)
process.disconnect()

async function runsFor(durationMs: number): Promise<readonly number[]> {
  const microseconds: number[] = []
  for (const startMs = performance.now(); performance.now() - startMs < durationMs; ) {
    microseconds.push(await workload.run())
  }
  return microseconds
}

/** The lower quartile: others on the machine only ever add to what a run takes, and a median moves with them. */
function undisturbed(microseconds: readonly number[]): number {
  return microseconds.toSorted((a, b) => a - b)[microseconds.length >> 2] ?? 0
}
