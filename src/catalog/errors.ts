// What goes wrong in the catalogue. The code says which rule; table, partition and batch say where.
import { MillraceError, type MillraceErrorOptions } from '../platform/errors.ts'

export interface CatalogErrorOptions extends MillraceErrorOptions {
  /** `db.table` */
  readonly table?: string
  readonly partition?: string
  readonly batchId?: string
}

export class CatalogError extends MillraceError {
  readonly table: string | undefined
  readonly partition: string | undefined
  readonly batchId: string | undefined

  constructor(message: string, options: CatalogErrorOptions) {
    super(message, options)
    this.table = options.table
    this.partition = options.partition
    this.batchId = options.batchId
  }
}
