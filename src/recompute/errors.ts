import { MillraceError } from '../platform/errors.ts'

/** The function's time is nearly up: what is not done is delivered again. */
export class DeadlineError extends MillraceError {
  constructor() {
    super('The time of the function was nearly up', {
      code: 'deadline-near',
      retriable: true,
      next: 'Raise the timeout or lower the batch size if this is not rare.',
    })
  }
}

/** Other writers won every time. */
export class ConflictError extends MillraceError {
  constructor(attempts: number) {
    super(`Another writer of the same user won ${attempts} times in a row`, { code: 'write-conflict', retriable: true })
  }
}
