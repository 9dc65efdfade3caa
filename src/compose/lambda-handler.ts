// What every handler has around it, on middy: parts built once per cold start, the time that is left taken from Lambda's
// context, and an error written down with its code before it goes on to Lambda, which then delivers again.
import middy, { type MiddlewareObj } from '@middy/core'
import type { Context } from 'aws-lambda'
import type { Telemetry } from './telemetry.ts'

/** How long the running invocation may still work, ms. */
export interface Deadline {
  remainingMs: () => number
}

/** Kept back to answer, or to write the error down. */
const ANSWER_RESERVE_MS = 1000

/** Of a function that has nothing more to do than to answer once its calls have ended. */
export function timeForCallsMs(deadline: Deadline): number {
  return deadline.remainingMs() - ANSWER_RESERVE_MS
}

export interface BuiltHandler {
  readonly telemetry: Telemetry
  readonly handle: (event: unknown) => Promise<unknown>
}

export type LambdaHandler = (event: unknown, context: Context) => Promise<unknown>

/** `build` runs at the first invocation; where it throws, so does every invocation, with what is missing. */
export function lambdaHandler(build: (deadline: Deadline) => BuiltHandler): LambdaHandler {
  const deadline: Deadline = { remainingMs: () => Number.POSITIVE_INFINITY }
  let built: BuiltHandler | undefined
  const once = (): BuiltHandler => (built ??= build(deadline))
  const handler = middy<unknown, unknown, Error, Context>()
    .use(deadlineGuard(deadline))
    .use(errorMapping(() => built?.telemetry))
    .handler(event => once().handle(event))
  return (event, context) => handler(event, context)
}

function deadlineGuard(deadline: Deadline): MiddlewareObj<unknown, unknown, Error, Context> {
  return {
    before: ({ context }) => {
      deadline.remainingMs = () => context.getRemainingTimeInMillis()
    },
  }
}

function errorMapping(telemetry: () => Telemetry | undefined): MiddlewareObj<unknown, unknown, Error, Context> {
  return {
    after: () => telemetry()?.flush(),
    onError: ({ error }) => {
      const known = telemetry()
      if (known === undefined) console.error(JSON.stringify({ level: 'ERROR', message: String(error) }))
      known?.error(error)
      known?.flush()
    },
  }
}
