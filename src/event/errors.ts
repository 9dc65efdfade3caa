import { MillraceError, type MillraceErrorOptions } from '../platform/errors.ts'

/** A definition that cannot be right; thrown while definitions are read, never while events flow. */
export class DefinitionError extends MillraceError {
  constructor(message: string, next: string, options: Partial<MillraceErrorOptions> = {}) {
    super(message, { code: 'definition-invalid', next, ...options })
  }
}

/** A call to the stream that failed as a whole; whether its entries were taken is unknown. `code` is the service's own, or a diagnosis. */
export class EventStreamError extends MillraceError {}
