// Numbers as an operator reads them: three figures are enough, and a count is exact.
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../platform/duration.ts'

/** `0.4 s`, `12 s`, `3 min`, `2.5 h`, `4 d`. */
export function ageText(ms: number): string {
  const age = Math.max(0, ms)
  if (age < 10 * SECOND_MS) return `${(age / SECOND_MS).toFixed(1)} s`
  if (age < 2 * MINUTE_MS) return `${Math.floor(age / SECOND_MS)} s`
  if (age < 2 * HOUR_MS) return `${Math.floor(age / MINUTE_MS)} min`
  if (age < 2 * DAY_MS) return `${(Math.floor((age / HOUR_MS) * 10) / 10).toFixed(1)} h`
  return `${Math.floor(age / DAY_MS)} d`
}

/** `12,345` */
export function countText(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}
