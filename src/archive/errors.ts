import { MillraceError } from '../platform/errors.ts'

/** An archived object that is not what its writer made: never skipped, since its records would be missed in silence. */
export class ArchiveError extends MillraceError {
  readonly key: string

  constructor(key: string, what: string, cause?: unknown) {
    super(`The object ${key} ${what}`, {
      code: 'archive-object-invalid',
      next: 'Compare it with an earlier version of the bucket; nothing of Millrace overwrites an object.',
      cause,
    })
    this.key = key
  }
}
