// What went wrong in one batch, for the log and the metrics. A table that is throttled fails every user alike: the first few are
// written down and all are counted.
import { MillraceError } from '../platform/errors.ts'
import type { Telemetry } from './telemetry.ts'

/** Of one invocation, which may have one for each of its thousands of users. */
const ERRORS_LOGGED_MAX = 10

export function reportErrors(errors: readonly unknown[], telemetry: Telemetry): void {
  const isRetriable = (error: unknown): boolean => error instanceof MillraceError && error.retriable
  telemetry.count('retriableErrors', errors.filter(isRetriable).length)
  for (const error of errors.slice(0, ERRORS_LOGGED_MAX)) telemetry.error(error)
  const more = errors.length - ERRORS_LOGGED_MAX
  if (more <= 0) return
  telemetry.count('errors', more)
  telemetry.info('more of this invocation failed', { errors: more })
}
