// Durations as people write them: '15m', '6h', '30d'.
import { MillraceError } from './errors.ts'

export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

const UNIT_MS = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS }

export type Duration = `${number}${keyof typeof UNIT_MS}`

/** Milliseconds of '90s', '15m', '6h' or '30d'; a whole, positive number of one unit. */
export function parseDurationMs(text: string): number {
  const match = /^([1-9]\d{0,5})([smhd])$/.exec(text)
  const unit = match?.[2]
  if (match?.[1] === undefined || unit === undefined || !(unit in UNIT_MS)) {
    throw new MillraceError(`"${text}" is not a duration`, {
      code: 'duration-invalid',
      next: "Write a whole number and a unit of s, m, h or d, such as '90s', '15m', '6h' or '30d'.",
    })
  }
  return Number(match[1]) * UNIT_MS[unit as keyof typeof UNIT_MS]
}
