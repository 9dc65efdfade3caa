// Who an event is about and which event it is: ids that everybody must write alike, because they are keys, hashes and words of a
// stream's partition key.
import { ID_BYTES_MAX } from './limits.ts'
import { PROBLEM, type Problem } from './problem.ts'

/** Unicode's control characters (Cc), and the two characters that separate parts of keys and paths. */
const FORBIDDEN_CHARACTERS = /[\p{Cc}#/]/u

/** Why the text cannot be a user's id; undefined where it can. */
export function userIdProblem(userId: string): Problem | undefined {
  return idTextProblem(userId) ?? (FORBIDDEN_CHARACTERS.test(userId) ? PROBLEM.idCharacters : undefined)
}

/** An integer becomes its decimal text; 2^53 itself is refused, as the parser reads 2^53 + 1 as the same number. */
export function readUserId(value: unknown): string | Problem {
  const text = idText(value)
  return typeof text === 'string' ? (userIdProblem(text) ?? text) : text
}

export function readEventId(value: unknown): string | Problem {
  const text = idText(value)
  return typeof text === 'string' ? (idTextProblem(text) ?? text) : text
}

function idText(value: unknown): string | Problem {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : PROBLEM.notId
  return value === undefined || value === null ? PROBLEM.missing : PROBLEM.notId
}

function idTextProblem(text: string): Problem | undefined {
  if (text.length === 0 || isLongerThan(text, ID_BYTES_MAX)) return PROBLEM.idLength
  return text.isWellFormed() ? undefined : PROBLEM.notUnicode
}

/** A UTF-16 unit is at most three bytes of UTF-8, so most texts need no counting. */
export function isLongerThan(text: string, bytesMax: number): boolean {
  return text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax
}
