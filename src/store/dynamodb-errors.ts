// Errors of the SDK and of DynamoDB as StoreErrors. What decides is the error's name, status or system code, never its text.
import { diagnoseServiceFailure } from '../platform/service-failure.ts'
import { StoreError } from './errors.ts'

/** "Error Handling with DynamoDB" (Amazon DynamoDB Developer Guide): those where the same request may succeed later. */
const RETRIABLE_NAMES = new Set([
  'InternalServerError',
  'ProvisionedThroughputExceededException',
  'ReplicatedWriteConflictException',
  'RequestLimitExceeded',
  'ServiceUnavailable',
  'ThrottlingException',
  'TransactionConflictException',
  // Credentials are fetched anew before the next try.
  'ExpiredTokenException',
  // The SDK's own: no answer in time, a connection that broke, a call that a deadline cut off.
  'AbortError',
  'NetworkingError',
  'RequestTimeout',
  'TimeoutError',
])

export function toStoreError(error: unknown, operation: string, table: string): StoreError {
  if (error instanceof StoreError) return error
  const diagnosis = diagnoseServiceFailure(error, { kind: 'table', name: table })
  if (diagnosis !== undefined) return new StoreError(diagnosis.message, { ...diagnosis, cause: error })
  const name = error instanceof Error ? error.name : 'unknown'
  return isRetriable(error)
    ? new StoreError(`${operation} found the table unavailable (${name})`, {
        code: 'store-unavailable',
        retriable: true,
        next: 'Try again later; if it stays, look at the throttles and errors of the table.',
        cause: error,
      })
    : new StoreError(`${operation} was refused (${name})`, {
        code: 'store-refused',
        next: 'Read the cause: a missing permission, or a request that DynamoDB does not accept.',
        cause: error,
      })
}

function isRetriable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (RETRIABLE_NAMES.has(error.name)) return true
  if (statusOf(error) >= 500) return true
  // System errors of the connection: ECONNRESET, ECONNREFUSED, EPIPE, ETIMEDOUT, EAI_AGAIN, ...
  return 'code' in error && typeof error.code === 'string' && /^E[A-Z_]+$/.test(error.code) && 'syscall' in error
}

function statusOf(error: Error): number {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return 0
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : 0
}
