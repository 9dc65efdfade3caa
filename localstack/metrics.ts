// The local cloud's CloudWatch: what was measured, summed up by series and minute as CloudWatch keeps it. It is bounded, so that a
// cloud which runs for weeks does not grow.
import { HOUR_MS, MINUTE_MS } from '../src/platform/duration.ts'

/** Longer than anybody looks back at a laptop; CloudWatch keeps minutes for 15 days. */
const KEPT_MS = 24 * HOUR_MS
/** Some 150 bytes each: 15 MB. */
const MINUTES_MAX = 100_000

export interface MetricName {
  readonly namespace: string
  readonly name: string
  readonly dimensions: Readonly<Record<string, string>>
}

export interface MinuteStatistics {
  /** Start of the minute. */
  readonly atMs: number
  sum: number
  count: number
  min: number
  max: number
}

export interface Metrics {
  record(metric: MetricName, value: number, atMs: number): void
  /** Minutes that begin in `[fromMs, toMs)` and have values, ascending. */
  minutes(metric: MetricName, fromMs: number, toMs: number): readonly Readonly<MinuteStatistics>[]
}

export function localMetrics(minutesMax: number = MINUTES_MAX): Metrics {
  return new MinuteMetrics(minutesMax)
}

class MinuteMetrics implements Metrics {
  readonly #minutesMax: number
  readonly #series = new Map<string, Map<number, MinuteStatistics>>()
  #minutes = 0
  #newestMs = Number.NEGATIVE_INFINITY

  constructor(minutesMax: number) {
    this.#minutesMax = minutesMax
  }

  record(metric: MetricName, value: number, atMs: number): void {
    const minuteMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS
    if (minuteMs > this.#newestMs) {
      this.#newestMs = minuteMs
      this.#forgetBefore(minuteMs - KEPT_MS)
    }
    if (minuteMs < this.#newestMs - KEPT_MS) return
    const key = seriesKey(metric)
    const series = this.#series.get(key) ?? new Map<number, MinuteStatistics>()
    this.#series.set(key, series)
    const minute = series.get(minuteMs)
    if (minute === undefined) {
      series.set(minuteMs, { atMs: minuteMs, sum: value, count: 1, min: value, max: value })
      this.#minutes++
      this.#forgetSurplus()
      return
    }
    minute.sum += value
    minute.count++
    minute.min = Math.min(minute.min, value)
    minute.max = Math.max(minute.max, value)
  }

  minutes(metric: MetricName, fromMs: number, toMs: number): readonly Readonly<MinuteStatistics>[] {
    return [...(this.#series.get(seriesKey(metric))?.values() ?? [])]
      .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
      .sort((a, b) => a.atMs - b.atMs)
  }

  #forgetBefore(limitMs: number): void {
    for (const [key, series] of this.#series) {
      for (const atMs of series.keys()) {
        if (atMs >= limitMs) continue
        series.delete(atMs)
        this.#minutes--
      }
      if (series.size === 0) this.#series.delete(key)
    }
  }

  /** A tenth at a time, the oldest first, so that it is rare. */
  #forgetSurplus(): void {
    if (this.#minutes <= this.#minutesMax) return
    const times = [...this.#series.values()].flatMap(series => [...series.keys()]).sort((a, b) => a - b)
    const limitMs = times[Math.ceil(times.length / 10)] ?? Number.POSITIVE_INFINITY
    // Where all are of one minute, that minute goes: what comes next is kept again.
    this.#forgetBefore(limitMs > (times[0] ?? 0) ? limitMs : limitMs + 1)
  }
}

function seriesKey({ namespace, name, dimensions }: MetricName): string {
  const sorted = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([namespace, name, sorted])
}
