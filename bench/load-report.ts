// What a load through the local cloud says: rates, lag, memory and the bottleneck, each against its bound.
import type { CloudLoad, LoadSample } from './load-cloud.ts'
import { floors, type Point, slope } from './load-processes.ts'

export interface Verdict {
  readonly lines: readonly string[]
  /** Bounds that are broken. */
  readonly broken: readonly string[]
}

const SHARE_MIN = 0.8
const WARM_UP_SHARE = 0.3
/** Batches gather for a second, so the age of their records moves by about as much. */
const AGE_GROWTH_MAX_MS = 1500
const MEMORY_GROWTH_MAX_MB_PER_MINUTE = 1
const MINUTE_MS = 60_000
/** A slope of fewer minutes says nothing. */
const WARM_MINUTES_MIN = 3

export function judgeLoad(load: CloudLoad): Verdict {
  const warm = load.samples.slice(Math.floor(load.samples.length * WARM_UP_SHARE))
  const [first, last] = [warm[0], warm.at(-1)]
  if (first === undefined || last === undefined || last.atMs - first.atMs < WARM_MINUTES_MIN * MINUTE_MS) {
    return { lines: [], broken: ['too short; give it --minutes 5 or more'] }
  }
  const ownRate = (load.putsPerSecondBefore + load.putsPerSecondAfter) / 2
  const share = load.usersWrittenPerSecond / ownRate
  const spanMs = last.atMs - first.atMs
  const ageGrowthMs = slope(warm.map(sample => [sample.atMs, sample.iteratorAgeMs] as const)) * spanMs
  const behindGrowth = slope(warm.map(sample => [sample.atMs, sample.behind] as const)) * spanMs
  const behindMax = (AGE_GROWTH_MAX_MS / 1000) * load.eventsPerSecondWanted
  const memory = memoryOf(warm, load.afterCollections)
  const cpu = cpuShares(first, last)
  const broken = [
    ...(share < SHARE_MIN ? [`users written a second are ${percent(share)} of the store's own puts`] : []),
    ...(ageGrowthMs > AGE_GROWTH_MAX_MS ? [`the iterator age grew by ${Math.round(ageGrowthMs)} ms`] : []),
    ...(behindGrowth > behindMax ? [`the backlog grew by ${Math.round(behindGrowth)} records`] : []),
    ...load.replaced.map(name => `${name} did not live through the load`),
    ...(load.failures > 0 ? [`${load.failures} batches failed`] : []),
    ...memory
      .filter(({ mbPerMinute }) => !(mbPerMinute <= MEMORY_GROWTH_MAX_MB_PER_MINUTE))
      .map(({ what, mbPerMinute }) => `${what} grew by ${mbPerMinute.toFixed(2)} MB a minute`),
  ]
  const busiest = cpu[0]
  const lines = [
    `puts of the store by itself: ${whole(load.putsPerSecondBefore)}/s before, ${whole(load.putsPerSecondAfter)}/s after, at the table's capacity; ${whole(load.putsPerSecondUnlimited)}/s without one; items of ${load.itemBytes} bytes`,
    `events ${whole(load.eventsPerSecond)}/s, users written ${whole(load.usersWrittenPerSecond)}/s: ${percent(share)} of the store's own rate`,
    `iterator age: ${ages(warm)}, growth ${Math.round(ageGrowthMs)} ms over ${Math.round(spanMs / 1000)} s; backlog growth ${Math.round(behindGrowth)} records`,
    ...memory.map(
      ({ what, lastMb, mbPerMinute }) =>
        `memory of ${what}: ${lastMb.toFixed(1)} MB, ${mbPerMinute.toFixed(2)} MB a minute`,
    ),
    `CPU: ${cpu.map(({ name, cores }) => `${name} ${percent(cores)}`).join(', ')} of a core`,
    `bottleneck: ${busiest?.name ?? 'none'}, busy for ${percent(busiest?.cores ?? 0)} of the time`,
  ]
  return { lines, broken }
}

/** Of the cloud what is resident; of the functions' processes what they hold after collections, and what is resident then. */
function memoryOf(samples: readonly LoadSample[], afterCollections: CloudLoad['afterCollections']) {
  const [sinceMs, untilMs] = [samples[0]?.atMs ?? 0, samples.at(-1)?.atMs ?? 0]
  const cloud = samples.flatMap(({ atMs, processes }): readonly Point[] => {
    const usage = processes.get('cloud')
    return usage === undefined ? [] : [[atMs, usage.residentMb]]
  })
  const series = [...afterCollections].flatMap(([name, { held, resident }]) => [
    [`${name}, held`, held] as const,
    [`${name}, resident`, resident] as const,
  ])
  return [['cloud, resident', cloud] as const, ...series].map(([what, points]) => {
    const least = floors(
      points.filter(([atMs]) => atMs >= sinceMs && atMs <= untilMs),
      MINUTE_MS,
    )
    return { what, lastMb: least.at(-1)?.[1] ?? Number.NaN, mbPerMinute: slope(least) * MINUTE_MS }
  })
}

function cpuShares(first: LoadSample, last: LoadSample) {
  const seconds = (last.atMs - first.atMs) / 1000
  const shares = [...last.processes].map(([name, { cpuSeconds }]) => ({
    name,
    cores: (cpuSeconds - (first.processes.get(name)?.cpuSeconds ?? 0)) / seconds,
  }))
  return shares.sort((a, b) => b.cores - a.cores)
}

function ages(samples: readonly LoadSample[]): string {
  const sorted = samples.map(({ iteratorAgeMs }) => iteratorAgeMs).sort((a, b) => a - b)
  const at = (share: number): number => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0)
  return `median ${at(0.5)} ms, highest ${at(1)} ms`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}

function whole(value: number): string {
  return value.toFixed(0)
}
