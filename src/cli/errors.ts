// A command line that cannot be right (exit 2); everything else that goes wrong is a MillraceError of its own (exit 1).
import { MillraceError } from '../platform/errors.ts'

export class UsageError extends MillraceError {
  constructor(message: string, next: string) {
    super(message, { code: 'usage', next })
  }
}

/** What a command was asked to do cannot be done here: a missing file, a folder that is not empty. */
export class CommandError extends MillraceError {}
