// What can go wrong around features after they were defined.
import { MillraceError } from '../platform/errors.ts'

/** A pass over time met something earlier than what came before it. */
export class OrderError extends MillraceError {
  constructor(what: string, position: number) {
    super(`The ${what} number ${position} is earlier than the one before it`, {
      code: 'not-in-order-of-time',
      next: `Sort the ${what}s by time.`,
    })
  }
}
