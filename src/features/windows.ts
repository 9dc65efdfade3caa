// Windows and their hops. A window of length w at instant t counts events with floor(t − w, hop) ≤ ts ≤ t: values are defined
// without tiles, tiles are only how state is stored.
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../platform/duration.ts'

export interface Window {
  readonly withinMs: number
  readonly hopMs: number
}

/** The levels at which tiles are stored, finest first; each divides the next, and each is some window's hop. */
export const LEVELS = [
  { key: 'm', ms: MINUTE_MS },
  { key: 'q', ms: 5 * MINUTE_MS },
  { key: 'h', ms: HOUR_MS },
  { key: 'd', ms: DAY_MS },
] as const

/** `x`: a level of the state's own, as decay has. */
export type LevelKey = (typeof LEVELS)[number]['key'] | 'x'

/** Two years of daily tiles: about 730 numbers per feature, the most an item can sensibly hold. */
export const WITHIN_MAX_MS = 731 * DAY_MS
export const WITHIN_MIN_MS = MINUTE_MS

export function hopMs(withinMs: number): number {
  if (withinMs <= 2 * HOUR_MS) return MINUTE_MS
  if (withinMs <= DAY_MS) return 5 * MINUTE_MS
  if (withinMs <= 14 * DAY_MS) return HOUR_MS
  return DAY_MS
}

export function windowOf(withinMs: number): Window {
  return { withinMs, hopMs: hopMs(withinMs) }
}

export function floorTo(ms: number, step: number): number {
  return Math.floor(ms / step) * step
}

/** First instant that the window still counts at t. */
export function windowStart(window: Window, t: number): number {
  return floorTo(t - window.withinMs, window.hopMs)
}

/** The instant at which an event or tile that starts at `ts` leaves the window. */
export function leavesAt(window: Window, ts: number): number {
  return floorTo(ts, window.hopMs) + window.hopMs + window.withinMs
}

/** Hops of one half-life: within a hop a weight changes by 2.2 % at most. */
const HOPS_PER_HALF_LIFE = 32
/** An event that is so many half-lives old would weigh less than a millionth. */
const HALF_LIVES_MAX = 20

/** What an aggregate that decays still counts. */
export function decayWindow(halfLifeMs: number): Window {
  return {
    withinMs: HALF_LIVES_MAX * halfLifeMs,
    hopMs: Math.max(MINUTE_MS, Math.floor(halfLifeMs / HOPS_PER_HALF_LIFE)),
  }
}
