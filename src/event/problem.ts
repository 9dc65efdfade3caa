// What can be wrong with one value, as a phrase that follows the name of its place. Constants, made once: the hot path allocates
// nothing for them, and none can quote a value of the payload.
import { ID_BYTES_MAX, TEXT_BYTES_MAX } from './limits.ts'

export interface Problem {
  readonly problem: string
}

const phrase = (problem: string): Problem => ({ problem })

export const PROBLEM = {
  missing: phrase('is missing'),
  notNumber: phrase('is not a number'),
  notFinite: phrase('is not a finite number'),
  tooManyDigits: phrase('is beyond 2^53 − 1 at its scale'),
  notText: phrase('is not text'),
  textTooLong: phrase(`is longer than ${TEXT_BYTES_MAX} bytes of UTF-8`),
  notChoice: phrase('is not one of the words of the contract'),
  notVersion: phrase('is neither an integer nor its decimal text'),
  notFlag: phrase('is not true or false'),
  notId: phrase('is neither text nor an integer within 2^53 − 1'),
  idLength: phrase(`is not 1 to ${ID_BYTES_MAX} bytes long`),
  idCharacters: phrase("has a control character, '#' or '/'"),
  notUnicode: phrase('has a lone surrogate and cannot be written as UTF-8'),
  timeWithoutUnit: phrase('is a number without a unit; declare { path, unit } in the contract'),
  notTimeText: phrase('is not an RFC 3339 time with an offset, such as 2026-01-02T03:04:05Z'),
  notTimeNumber: phrase('is not a number of the declared unit'),
  timeBefore1970: phrase('is before 1970'),
  timeTooLarge: phrase('is after the year 9999; is the declared unit right?'),
} as const

/** Values read from a payload are never objects, problems always are. */
export function isProblem(value: string | number | boolean | null | Problem): value is Problem {
  return typeof value === 'object' && value !== null
}
