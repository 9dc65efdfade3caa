// Said instead of one more log entry that changes nothing.
import { toRfc3339 } from '../platform/clock.ts'
import { CatalogError } from './errors.ts'
import type { LogEntry } from './items.ts'

export function alreadyCurrent({ batchId, at }: LogEntry): CatalogError {
  return new CatalogError(`${batchId} is current since ${toRfc3339(at)}`, {
    code: 'already-current',
    next: 'Name another batch; `millrace table history` lists them.',
    batchId,
  })
}
