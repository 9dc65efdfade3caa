// How far a consumer of the stream is behind. Lambda measures it only when it delivers, so of a mapping that is paused or stuck the
// measured age says nothing: there the first minute in which records came in and were not delivered tells since when they wait.
import { LAG_IS_RECENT_MS, METRIC_PERIOD_MS } from './limits.ts'
import type { MetricPoint } from './ports.ts'

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
  /** `delivered`: measured at a delivery. `waiting`: nothing was delivered since, so it grows. `idle`: nothing came in. */
  readonly kind: 'delivered' | 'waiting' | 'idle'
}

export function lagOf({ nowMs, pausedMs, ages, incoming }: LagInput): Lag {
  const last = ages.at(-1)
  const waitingMs = waitingSince({ pausedMs, lastMs: last?.atMs, incoming })
  const waiting = waitingMs === undefined ? undefined : Math.max(0, nowMs - waitingMs)
  const delivered = last === undefined ? undefined : deliveredLag(last, nowMs, pausedMs)
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

/** Of the newest delivery; a consumer that was paused while it was behind is so much further behind now. */
function deliveredLag({ atMs, value }: MetricPoint, nowMs: number, pausedMs: number | undefined): number | undefined {
  if (pausedMs !== undefined) return value < METRIC_PERIOD_MS ? undefined : value + Math.max(0, nowMs - pausedMs)
  return nowMs - atMs < LAG_IS_RECENT_MS + METRIC_PERIOD_MS ? value : undefined
}
