import { MillraceError, type MillraceErrorOptions } from '../platform/errors.ts'

/** A definition that cannot be right; thrown while definitions are read, never while events flow. */
export class DefinitionError extends MillraceError {
  constructor(message: string, next: string, options: Partial<MillraceErrorOptions> = {}) {
    super(message, { code: 'definition-invalid', next, ...options })
  }
}
