// The figures of recompute as people read them.
import type { Pair, RecomputeBench } from './recompute.ts'

export function recomputeBenchLines(bench: RecomputeBench): readonly string[] {
  const { events, users, floor, wallMs } = bench
  return [
    `${events} events of ${users} users`.padEnd(36) + '   Millrace  per record   ratio',
    row('store calls per event', bench.storeCallsPerEvent, 2),
    row('write units per event', bench.writeUnitsPerEvent, 2),
    row('CPU per event with the SDK, µs', bench.cpuMicrosecondsPerEvent, 0),
    row('wall of a batch, store calls of 5 ms', wallMs, 0),
    `  ${wallMs.perRecordAtOnce.toFixed(0)} ms with all records at once, which lost ${bench.lostAtOnce} of ${events} updates`,
    `handler CPU ${floor.handlerMicrosecondsPerEvent.toFixed(0)} µs an event, ${floor.handlerMicrosecondsPerUser.toFixed(0)} µs a user; ` +
      `floor ${floor.floorMicrosecondsPerEvent.toFixed(0)} µs an event: ${floor.ratio.toFixed(2)} ×`,
  ]
}

function row(name: string, { millrace, perRecord, ratio }: Pair, digits: number): string {
  return `${name.padEnd(36)} ${millrace.toFixed(digits).padStart(10)} ${perRecord.toFixed(digits).padStart(11)} ${ratio.toFixed(1).padStart(6)} ×`
}
