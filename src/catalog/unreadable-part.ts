// What a reader says of a part that has the right bytes and cannot be read: whoever committed it has written it so. The error of the format
// knows the line and the column; this adds where that is.
import { CatalogError } from './errors.ts'

export interface PartOfBatch {
  readonly table: string
  readonly batchId: string
  /** File name of the part. */
  readonly name: string
}

/** Any other error as it is. */
export function asUnreadablePart(error: unknown, { table, batchId, name }: PartOfBatch): unknown {
  const isOfFormat =
    error instanceof CatalogError && (error.code === 'part-differs' || error.code === 'parquet-differs')
  if (!isOfFormat || error.batchId !== undefined) return error
  const { code, message, next, cause } = error
  return new CatalogError(`${name} of the batch ${batchId} of ${table}: ${message}`, {
    code,
    table,
    batchId,
    cause,
    ...(next === undefined ? {} : { next }),
  })
}
