// Event time as upstream writes it: RFC 3339 with an offset, or a number whose unit the contract declares. Read by hand and not
// by Date.parse, which takes 30 February, times without an offset, and a dozen forms that differ by engine.
import { DAY_MS, MINUTE_MS } from '../platform/duration.ts'
import type { TimeSource } from './contract.ts'
import { PROBLEM, type Problem } from './problem.ts'
import { scaledInteger } from './scaled-decimal.ts'

/** The end of the year 9999, the last that RFC 3339 can write. */
const TIME_MAX_MS = 253_402_300_799_999
/** 35 characters hold nanoseconds and an offset; more digits than that is not a time. */
const TIME_TEXT_MAX = 64

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

/**
 * Ms since 1970 of an RFC 3339 time with an offset, fractions truncated; negative before 1970; undefined for anything else.
 * A leap second is the second that follows it, as in POSIX.
 */
export function parseRfc3339Ms(text: string): number | undefined {
  if (text.length > TIME_TEXT_MAX || !hasDateTimeMarks(text)) return undefined
  const year = digitsAt(text, 0, 4)
  const month = digitsAt(text, 5, 2)
  const day = digitsAt(text, 8, 2)
  const hour = digitsAt(text, 11, 2)
  const minute = digitsAt(text, 14, 2)
  const second = digitsAt(text, 17, 2)
  const isReal =
    year >= 0 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysOfMonth(year, month) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 60
  if (!isReal) return undefined
  const fractionEnd = text[19] === '.' ? endOfDigits(text, 20) : 19
  if (fractionEnd === 20) return undefined
  const offsetMs = offsetMsAt(text, fractionEnd)
  if (offsetMs === undefined) return undefined
  // Date.UTC reads the years 0 to 99 as 1900 to 1999.
  if (year < 1969) return -1
  const wholeMs = Date.UTC(year, month - 1, day, hour, minute, second) - offsetMs
  if (second === 60 && wholeMs % DAY_MS !== 0) return undefined
  return wholeMs + fractionMs(text, fractionEnd)
}

function hasDateTimeMarks(text: string): boolean {
  const separator = text[10]
  return (
    text[4] === '-' &&
    text[7] === '-' &&
    (separator === 'T' || separator === 't' || separator === ' ') &&
    text[13] === ':' &&
    text[16] === ':'
  )
}

/** NaN where there is anything but digits; NaN fails every comparison above. */
function digitsAt(text: string, start: number, count: number): number {
  let value = 0
  for (let index = start; index < start + count; index++) {
    const digit = text.charCodeAt(index) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

function endOfDigits(text: string, start: number): number {
  let end = start
  while (digitsAt(text, end, 1) >= 0) end++
  return end
}

function fractionMs(text: string, end: number): number {
  let ms = 0
  for (let index = 20, weight = 100; index < end && weight >= 1; index++, weight /= 10) {
    ms += digitsAt(text, index, 1) * weight
  }
  return ms
}

/** `Z`, or `±hh:mm`, and nothing after it. */
function offsetMsAt(text: string, start: number): number | undefined {
  const sign = text[start]
  if (sign === 'Z' || sign === 'z') return text.length === start + 1 ? 0 : undefined
  if ((sign !== '+' && sign !== '-') || text.length !== start + 6 || text[start + 3] !== ':') return undefined
  const hours = digitsAt(text, start + 1, 2)
  const minutes = digitsAt(text, start + 4, 2)
  if (!(hours <= 23 && minutes <= 59)) return undefined
  return (hours * 60 + minutes) * MINUTE_MS * (sign === '-' ? -1 : 1)
}

function daysOfMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}
