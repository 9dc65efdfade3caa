import { MillraceError } from '../platform/errors.ts'

/** Other writers won every time. */
export class ConflictError extends MillraceError {
  constructor(attempts: number) {
    super(`Another writer of the same user won ${attempts} times in a row`, { code: 'write-conflict', retriable: true })
  }
}
