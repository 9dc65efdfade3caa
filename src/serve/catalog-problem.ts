// The catalogue's own errors as answers: the code and the next step are those of every other way in, the status says whose turn it is.
import { MillraceError } from '../platform/errors.ts'
import type { HttpResponse } from './http.ts'
import { problem } from './problem.ts'

const BAD_REQUEST = 400
const NOT_FOUND = 404
const CONFLICT = 409
const GONE = 410

const STATUS: Readonly<Record<string, number>> = {
  'anchor-not-found': NOT_FOUND,
  'batch-not-found': NOT_FOUND,
  'partition-empty': NOT_FOUND,
  'table-not-found': NOT_FOUND,
  'already-current': CONFLICT,
  'batch-exists': CONFLICT,
  'batch-yanked': CONFLICT,
  'log-contended': CONFLICT,
  'part-differs': CONFLICT,
  'table-contended': CONFLICT,
  'table-differs': CONFLICT,
  'batch-cold': CONFLICT,
  'batch-purged': GONE,
  'batch-id-invalid': BAD_REQUEST,
  'choice-ambiguous': BAD_REQUEST,
  'column-invalid': BAD_REQUEST,
  'format-invalid': BAD_REQUEST,
  'name-invalid': BAD_REQUEST,
  'part-name-invalid': BAD_REQUEST,
  'part-too-big': BAD_REQUEST,
  'partition-invalid': BAD_REQUEST,
  'reason-invalid': BAD_REQUEST,
  'request-invalid': BAD_REQUEST,
  'table-reserved': 403,
  'answer-too-big': 507,
}

export const CATALOG_PROBLEM_CODES: readonly string[] = Object.keys(STATUS)

/** What is nobody's business is `internal`, and in the log. */
export function catalogProblem(error: unknown): HttpResponse {
  if (!(error instanceof MillraceError)) return problem('internal')
  const status = STATUS[error.code]
  if (status === undefined) return problem(error.retriable ? 'store-unavailable' : 'internal')
  const { code, message, next } = error
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    body: JSON.stringify({ status, code, detail: message, next: next ?? 'See docs/openapi.json for this route.' }),
  }
}
