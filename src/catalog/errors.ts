// What goes wrong in the catalogue. The code says which rule; table, partition and batch say where.
import { MillraceError, type MillraceErrorOptions } from '../platform/errors.ts'

export interface CatalogErrorOptions extends MillraceErrorOptions {
  /** `db.table` */
  readonly table?: string
  readonly partition?: string
  readonly batchId?: string
  /** The batch that came in the place of this one, where somebody was forgotten. */
  readonly successor?: string | undefined
}

export class CatalogError extends MillraceError {
  readonly table: string | undefined
  readonly partition: string | undefined
  readonly batchId: string | undefined
  readonly successor: string | undefined

  constructor(message: string, options: CatalogErrorOptions) {
    super(message, options)
    this.table = options.table
    this.partition = options.partition
    this.batchId = options.batchId
    this.successor = options.successor
  }
}
