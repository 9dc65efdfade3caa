// How an invocation of a function ends. A function error is an outcome and no exception: event source mapping, HTTP API and
// Lambda's own API each make something else of it.
import { FunctionError } from './errors.ts'

export type InvokeOutcome =
  | {
      readonly kind: 'returned'
      /** The result as JSON; `null` where the handler returned nothing. */
      readonly payload: string
    }
  | {
      /** The function was not run: throttled, or Lambda had a failure of its own. It uses up no retry. */
      readonly kind: 'not-invoked'
      /** As Lambda names it: `TooManyRequestsException`, `ServiceException`, … */
      readonly errorType: string
      readonly errorMessage: string
      readonly trace?: undefined
    }
  | {
      readonly kind: 'failed'
      /** As Lambda names it: `Error`, `Sandbox.Timedout`, `Runtime.ExitError`, … */
      readonly errorType: string
      readonly errorMessage: string
      readonly trace?: readonly string[]
    }

/** The result, parsed; a function error is thrown. */
export function resultOf(functionName: string, outcome: InvokeOutcome): unknown {
  if (outcome.kind !== 'returned') throw new FunctionError(functionName, outcome.errorType, outcome.errorMessage)
  return JSON.parse(outcome.payload)
}
