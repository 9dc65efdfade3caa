// Event time as upstream writes it: RFC 3339 with an offset, or a number whose unit the contract declares.
import { parseRfc3339Ms } from '../platform/rfc3339.ts'
import type { TimeSource } from './contract.ts'
import { PROBLEM, type Problem } from './problem.ts'
import { scaledInteger } from './scaled-decimal.ts'

export { parseRfc3339Ms } from '../platform/rfc3339.ts'

/** The end of the year 9999, the last that RFC 3339 can write. */
const TIME_MAX_MS = 253_402_300_799_999

/** Reads ms since 1970 from a value of the payload. */
export function timeReader(source: TimeSource): (value: unknown) => number | Problem {
  if (typeof source === 'string') return readTimeText
  return source.unit === 's' ? readSeconds : readMilliseconds
}

function readTimeText(value: unknown): number | Problem {
  if (typeof value === 'number') return PROBLEM.timeWithoutUnit
  if (typeof value !== 'string') return PROBLEM.notTimeText
  const ms = parseRfc3339Ms(value)
  if (ms === undefined) return PROBLEM.notTimeText
  return ms < 0 ? PROBLEM.timeBefore1970 : ms
}

/** To microseconds by decimal meaning first: 1.001 × 1000 is not quite 1001 as doubles go. Then truncated, as text is. */
function readSeconds(value: unknown): number | Problem {
  if (typeof value !== 'number' || !Number.isFinite(value)) return PROBLEM.notTimeNumber
  const microseconds = scaledInteger(value, 6)
  return microseconds === undefined ? outOfRange(value) : readMilliseconds(Math.trunc(microseconds / 1000))
}

function readMilliseconds(value: unknown): number | Problem {
  if (typeof value !== 'number' || !Number.isFinite(value)) return PROBLEM.notTimeNumber
  const ms = Math.trunc(value) + 0
  return value < 0 || ms > TIME_MAX_MS ? outOfRange(value) : ms
}

function outOfRange(value: number): Problem {
  return value < 0 ? PROBLEM.timeBefore1970 : PROBLEM.timeTooLarge
}
