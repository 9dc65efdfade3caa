// What goes wrong with a snapshot. The code says which rule; a message names partitions and runs, never a user.
import { MillraceError, type MillraceErrorOptions } from '../platform/errors.ts'

export interface SnapshotErrorOptions extends MillraceErrorOptions {
  readonly partition?: string
  /** Of the partition. */
  readonly run?: number
}

/** `snapshot-running`, `snapshot-older`, `snapshot-elsewhere`, `snapshot-given-up`, `snapshot-incomplete`, `snapshot-short`, `snapshot-not-found`, `snapshot-run-invalid`. */
export class SnapshotError extends MillraceError {
  readonly partition: string | undefined
  readonly run: number | undefined

  constructor(message: string, options: SnapshotErrorOptions) {
    super(message, options)
    this.partition = options.partition
    this.run = options.run
  }
}
