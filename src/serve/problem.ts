// Every error an HTTP caller can see, in one table (RFC 9457). The texts are constants on purpose: no user id, payload or
// internal message can leak through one, and two users that do not exist get the same bytes.
import type { HttpResponse } from './http.ts'

interface ProblemKind {
  readonly status: number
  readonly detail: string
  readonly next: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Long enough for a throttled shard (limits are per second) or a failed-over store, short enough for a queue of retries. */
const RETRY_AFTER_SECONDS = 2
const RETRY_LATER = { 'retry-after': String(RETRY_AFTER_SECONDS) }

const PROBLEMS = {
  'user-id-invalid': {
    status: 400,
    detail: 'The path does not hold a user id.',
    next: "A user id has 1 to 256 bytes of UTF-8 and no control characters, '#' or '/'. Percent-encode it.",
  },
  'query-invalid': {
    status: 400,
    detail: 'The query has a parameter or a value that this route does not know.',
    next: 'Leave the query out, or use at=stored.',
  },
  'body-unreadable': {
    status: 400,
    detail: 'No event can be cut out of the body.',
    next: 'Send one JSON object, an array of them, {"events":[...]}, or lines of JSON as application/x-ndjson.',
  },
  'user-not-found': {
    status: 404,
    detail: 'No event of this user has been applied.',
    next: 'Check the id; a user exists from the first event on that names it.',
  },
  'route-unknown': {
    status: 404,
    detail: 'There is nothing at this path.',
    next: 'See docs/openapi.json for the routes.',
  },
  'method-not-allowed': {
    status: 405,
    detail: 'This route does not take this method.',
    next: 'Use one of the methods in the Allow header.',
  },
  'coding-not-acceptable': {
    status: 406,
    detail: 'Accept-Encoding rules out every coding this route has.',
    next: 'Accept deflate, gzip or identity.',
  },
  'body-too-big': {
    status: 413,
    detail: 'The body is larger than one call takes.',
    next: 'Send fewer events per call.',
  },
  'too-many-events': {
    status: 413,
    detail: 'The body holds more events than one call takes.',
    next: 'Send fewer events per call.',
  },
  'content-coding-unsupported': {
    status: 415,
    detail: 'The body has a Content-Encoding.',
    next: 'Send the body as it is.',
  },
  'item-corrupt': {
    status: 500,
    detail: 'What is stored for this user fails its checksums and is not served.',
    next: 'The item is left as it is; rebuild it from the archive.',
  },
  internal: {
    status: 500,
    detail: 'The request failed inside.',
    next: "The function's log has the error under this request's id.",
  },
  'store-unavailable': {
    status: 503,
    detail: 'The store did not answer.',
    next: 'Try again after Retry-After.',
    headers: RETRY_LATER,
  },
  'answer-too-big': {
    status: 507,
    detail: 'The answer is longer than a function may give: 6 MB, as base64.',
    next: 'Accept gzip or deflate, or ask for /features or /predictions alone. If that does not help, the values of the models are too long together for a GET: read them from snapshots.',
  },
  'stream-unavailable': {
    status: 503,
    detail: 'The stream took none of the events.',
    next: 'Send the same events with the same ids again after Retry-After; those that arrived are folded once.',
    headers: RETRY_LATER,
  },
} as const satisfies Record<string, ProblemKind>

export type ProblemCode = keyof typeof PROBLEMS

export const PROBLEM_CODES = Object.keys(PROBLEMS) as readonly ProblemCode[]

export interface ProblemExtras {
  readonly headers?: Readonly<Record<string, string>>
  /** More members of the body; never something about a user. */
  readonly members?: Readonly<Record<string, unknown>>
}

/** The response for one of the codes; the same bytes every time unless extras are given. */
export function problem(code: ProblemCode, extras: ProblemExtras = {}): HttpResponse {
  const kind: ProblemKind = PROBLEMS[code]
  const { status, detail, next } = kind
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...kind.headers,
      ...extras.headers,
    },
    body: JSON.stringify({ status, code, detail, next, ...extras.members }),
  }
}
