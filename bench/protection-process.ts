// One side of `protection.ts` in a process of its own: the code that lies beside this file, and nothing that another copy has taught
// the compiler. It runs a batch whenever its parent asks for one.
import { type Mix, protectionWorkload, type Written } from './protection-workload.ts'

export interface Ready {
  readonly events: number
  readonly written: Written
}

/** A run is a batch of 500 events; the first are the compiler's, and of many users a batch takes the better part of a second. */
const WARM_UP_MS = 10_000

const workload = await protectionWorkload(process.argv[2] as Mix)
const untilMs = performance.now() + WARM_UP_MS
while (performance.now() < untilMs) await workload.run()

process.on('message', () => {
  workload.run().then(
    microseconds => process.send?.(microseconds),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      process.exit(1)
    },
  )
})
process.once('disconnect', () => {
  workload.stop()
})
const ready: Ready = { events: workload.events, written: await workload.written() }
process.send?.(ready)
