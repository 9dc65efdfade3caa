// How far a consumer of the stream is behind. Lambda measures it only when it delivers, so of a mapping that is paused or stuck the
// measured age says nothing: there the first minute in which records came in and were not delivered tells since when they wait.
import { LAG_IS_RECENT_MS, METRIC_PERIOD_MS } from './limits.ts'
import type { MetricPoint } from './ports.ts'

/**
 * The worst of so many minutes, up to the newest with a delivery: a minute's age is of those shards alone that delivered in it. A shard
 * that fails is tried again after a back-off, and is absent from minutes in which the others deliver: from one that began just now always.
 * One for the back-off, and the two by which CloudWatch may be late: it shows a minute in part until then.
 */
const WORST_OF_MINUTES = 3

export interface LagInput {
  readonly nowMs: number
  /** Since when the mapping delivers nothing; undefined: it does. */
  readonly pausedMs: number | undefined
  /** Age of delivered records, by minute, ascending. */
  readonly ages: readonly MetricPoint[]
  /** Records that came into the stream, by minute, ascending. */
  readonly incoming: readonly MetricPoint[]
}

export interface Lag {
  readonly ms: number
  /** `delivered`: measured at deliveries. `waiting`: nothing was delivered since, so it grows. `idle`: nothing came in. */
  readonly kind: 'delivered' | 'waiting' | 'idle'
}

export function lagOf({ nowMs, pausedMs, ages, incoming }: LagInput): Lag {
  const waitingMs = waitingSince({ pausedMs, lastMs: ages.at(-1)?.atMs, incoming })
  const waiting = waitingMs === undefined ? undefined : Math.max(0, nowMs - waitingMs)
  const delivered = deliveredLag({ nowMs, pausedMs, ages })
  if (waiting !== undefined && waiting >= (delivered ?? 0)) return { ms: waiting, kind: 'waiting' }
  if (delivered !== undefined) return { ms: delivered, kind: pausedMs === undefined ? 'delivered' : 'waiting' }
  return { ms: 0, kind: 'idle' }
}

function waitingSince({
  pausedMs,
  lastMs = Number.NEGATIVE_INFINITY,
  incoming,
}: Pick<LagInput, 'pausedMs' | 'incoming'> & { readonly lastMs: number | undefined }): number | undefined {
  // The minute of the pause counts whole: who pauses is rather told too much than too little.
  const fromMs = pausedMs === undefined ? lastMs + METRIC_PERIOD_MS : pausedMs - METRIC_PERIOD_MS + 1
  const first = incoming.find(({ atMs, value }) => atMs >= fromMs && value > 0)
  return first === undefined ? undefined : Math.max(first.atMs, pausedMs ?? first.atMs)
}

/** Of the newest deliveries; a consumer that was behind in the last minutes before its pause is so much further behind now. */
function deliveredLag({ nowMs, pausedMs, ages }: Omit<LagInput, 'incoming'>): number | undefined {
  const ageMs = worstOfNewest(pausedMs === undefined ? ages.filter(({ atMs }) => isRecent(atMs, nowMs)) : ages)
  if (pausedMs === undefined || ageMs === undefined) return ageMs
  return ageMs < METRIC_PERIOD_MS ? undefined : ageMs + Math.max(0, nowMs - pausedMs)
}

function isRecent(atMs: number, nowMs: number): boolean {
  return nowMs - atMs < LAG_IS_RECENT_MS + METRIC_PERIOD_MS
}

function worstOfNewest(ages: readonly MetricPoint[]): number | undefined {
  const newest = ages.at(-1)
  if (newest === undefined) return undefined
  const afterMs = newest.atMs - WORST_OF_MINUTES * METRIC_PERIOD_MS
  return Math.max(...ages.filter(({ atMs }) => atMs > afterMs).map(({ value }) => value))
}
