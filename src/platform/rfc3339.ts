// Instants as text: RFC 3339 with an offset. Read by hand and not by Date.parse, which takes 30 February, 24:00:00, times without an
// offset, and a dozen forms that differ by engine.
import { DAY_MS, HOUR_MS, MINUTE_MS } from './duration.ts'

/** 35 characters hold nanoseconds and an offset; more digits than that is not a time. */
const TIME_TEXT_MAX = 64
const DAYS_OF_400_YEARS = 146_097

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
  const wholeMs =
    utcMs(year, month) + (day - 1) * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS + second * 1000 - offsetMs
  if (second === 60 && wholeMs % DAY_MS !== 0) return undefined
  return wholeMs + fractionMs(text, fractionEnd)
}

/** The first of the month. Date.UTC reads the years 0 to 99 as 1900 to 1999, and the calendar repeats every 400 years. */
function utcMs(year: number, month: number): number {
  return year >= 100 ? Date.UTC(year, month - 1) : Date.UTC(year + 400, month - 1) - DAYS_OF_400_YEARS * DAY_MS
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
