// What every handler has around it: the time that is left, taken from Lambda's context, and errors that are written down with
// their code before they go on to Lambda, which then delivers again.
import type { MiddlewareObj } from '@middy/core'
import type { Context } from 'aws-lambda'
import { MillraceError } from '../platform/errors.ts'
import type { Telemetry } from './telemetry.ts'

/** A handler's own view of how long it may still work, ms. */
export interface Deadline {
  remainingMs: () => number
}

export function deadlineGuard(deadline: Deadline): MiddlewareObj<unknown, unknown, Error, Context> {
  return {
    before: ({ context }) => {
      deadline.remainingMs = () => context.getRemainingTimeInMillis()
    },
  }
}

export function errorMapping(telemetry: Telemetry): MiddlewareObj<unknown, unknown, Error, Context> {
  return {
    onError: ({ error }) => {
      telemetry.error(error)
    },
    after: () => telemetry.flush(),
  }
}

export function errorFields(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof MillraceError) {
    return { code: error.code, message: error.message, next: error.next, retriable: error.retriable }
  }
  return error instanceof Error
    ? { code: error.name, message: error.message }
    : { code: 'unknown', message: String(error) }
}
