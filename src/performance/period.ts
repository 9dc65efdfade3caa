// Days and weeks in UTC, by the instant with which they begin.
import { DAY_MS } from '../platform/duration.ts'

export const PERIODS = ['day', 'week'] as const
export type Period = (typeof PERIODS)[number]

/** 1970-01-01 was a Thursday; ISO weeks begin on Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS

export const PERIOD_MS: Readonly<Record<Period, number>> = { day: DAY_MS, week: 7 * DAY_MS }

export function periodStart(ms: number, by: Period): number {
  if (by === 'day') return Math.floor(ms / DAY_MS) * DAY_MS
  return Math.floor((ms - FIRST_MONDAY_MS) / PERIOD_MS.week) * PERIOD_MS.week + FIRST_MONDAY_MS
}

/** `2001-06-30` */
export function dayText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
