// Waits until everything that was put into the streams so far has been delivered, through functions that put into streams
// themselves. No clock decides it: every shard is read to its end after the wait began, and nothing was invoked meanwhile.
import type { Clock, Sleep } from '../src/platform/clock.ts'
import { LocalCloudError } from './errors.ts'
import type { EventSourceMapping } from './event-source-mapping.ts'

/** Between looks at the counters. */
const LOOK_MS = 5

/** The first of two quiet reads may have begun before the wait did. */
const QUIET_READS = 2

export interface DrainOptions {
  readonly timeoutMs: number
  readonly clock: Clock
  readonly sleep: Sleep
}

export async function waitUntilDrained(mappings: readonly EventSourceMapping[], options: DrainOptions): Promise<void> {
  const drained = drain(mappings, options)
  for (const mapping of mappings) mapping.hurryUntil(drained)
  await drained
}

async function drain(
  mappings: readonly EventSourceMapping[],
  { timeoutMs, clock, sleep }: DrainOptions,
): Promise<void> {
  const deadlineMs = clock() + timeoutMs
  for (;;) {
    const invokedBefore = invocations(mappings)
    const shards = mappings.flatMap(mapping => mapping.counters())
    const targets = shards.map(({ quietReads }) => quietReads + QUIET_READS)
    while (!shards.every(({ quietReads }, index) => quietReads >= (targets[index] ?? 0))) {
      for (const mapping of mappings) mapping.assertRunning()
      if (clock() >= deadlineMs) throw notDrained(mappings, timeoutMs)
      await sleep(LOOK_MS)
    }
    if (invocations(mappings) === invokedBefore) return
  }
}

function invocations(mappings: readonly EventSourceMapping[]): number {
  return mappings.flatMap(mapping => mapping.counters()).reduce((sum, counters) => sum + counters.invocations, 0)
}

function notDrained(mappings: readonly EventSourceMapping[], timeoutMs: number): LocalCloudError {
  const waiting = mappings.flatMap(({ mapping, counters }) =>
    counters()
      .filter(({ pending }) => pending > 0)
      .map(({ shard, pending, functionErrors, partialFailures }) => {
        return `${mapping.logicalId} ${shard}: ${pending} records, ${functionErrors} function errors, ${partialFailures} partial failures`
      }),
  )
  return new LocalCloudError(`Not drained after ${timeoutMs} ms: ${waiting.join('; ') || 'records keep coming'}`, {
    code: 'drain-timeout',
    retriable: true,
    next: 'Look into the log of the function: it may fail on every attempt.',
  })
}
