// Waits until everything that was put into the streams so far has been delivered, through functions that put into streams
// themselves. No clock decides it: every shard is read to its end after the wait began, and nothing was invoked meanwhile.
import type { Clock, Sleep } from '../src/platform/clock.ts'
import { LocalCloudError } from './errors.ts'
import type { EventSourceMapping } from './event-source-mapping.ts'
import type { ShardCounters } from './shard-counters.ts'

/** Between looks at the counters. */
const LOOK_MS = 5

/** The first of two quiet reads may have begun before the wait did. */
const QUIET_READS = 2

export interface DrainOptions {
  readonly timeoutMs: number
  readonly clock: Clock
  readonly sleep: Sleep
}

/** Disabled mappings deliver nothing, so nothing is waited for there. */
export async function waitUntilDrained(mappings: readonly EventSourceMapping[], options: DrainOptions): Promise<void> {
  const enabled = mappings.filter(mapping => mapping.isEnabled())
  const drained = drain(enabled, options)
  for (const mapping of enabled) mapping.hurryUntil(drained)
  await drained
}

async function drain(
  mappings: readonly EventSourceMapping[],
  { timeoutMs, clock, sleep }: DrainOptions,
): Promise<void> {
  const deadlineMs = clock() + timeoutMs
  for (;;) {
    const invokedBefore = invocations(mappings)
    // A child of a shard that was split may be known to nobody yet; once it is, it counts as not read.
    for (const mapping of mappings) await mapping.refreshShards()
    const readBefore = new Map(countersOf(mappings).map(counters => [counters, counters.quietReads]))
    while (!countersOf(mappings).every(counters => isQuiet(counters, readBefore.get(counters) ?? 0))) {
      for (const mapping of mappings) mapping.assertRunning()
      if (clock() >= deadlineMs) throw notDrained(mappings, timeoutMs)
      await sleep(LOOK_MS)
    }
    if (invocations(mappings) === invokedBefore) return
  }
}

function isQuiet({ state, quietReads }: Readonly<ShardCounters>, readBefore: number): boolean {
  return state === 'finished' || quietReads >= readBefore + QUIET_READS
}

function countersOf(mappings: readonly EventSourceMapping[]): readonly Readonly<ShardCounters>[] {
  return mappings.flatMap(mapping => mapping.counters())
}

function invocations(mappings: readonly EventSourceMapping[]): number {
  return countersOf(mappings).reduce((sum, counters) => sum + counters.invocations, 0)
}

function notDrained(mappings: readonly EventSourceMapping[], timeoutMs: number): LocalCloudError {
  const waiting = mappings.flatMap(({ mapping, counters }) =>
    counters()
      .filter(({ pending, readErrors }) => pending > 0 || readErrors > 0)
      .map(
        ({ shard, pending, functionErrors, partialFailures, notInvoked, readErrors }) =>
          `${mapping.logicalId} ${shard}: ${pending} records, ${functionErrors} function errors, ` +
          `${partialFailures} partial failures, ${notInvoked} times not invoked, ${readErrors} read errors`,
      ),
  )
  return new LocalCloudError(`Not drained after ${timeoutMs} ms: ${waiting.join('; ') || 'records keep coming'}`, {
    code: 'drain-timeout',
    retriable: true,
    next: 'Look into the log of the function: it may fail on every attempt.',
  })
}
