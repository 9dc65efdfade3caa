// Whether a failed call to an AWS service may succeed if it is made again, read from the shape of the SDK's errors (status
// and name), so that code without an SDK can decide it too.

export interface ServiceFailure {
  /** The service's name for it: `NoSuchKey`, `ThrottlingException`, `TimeoutError` … */
  readonly name: string
  /** HTTP status; absent where no answer came. */
  readonly status?: number
  readonly isRetriable: boolean
}

const STATUS_SERVER_ERROR = 500
/** 408 and 429 say so by themselves; S3 answers 409 to a conflict of two conditional writes (Amazon S3 API reference, PutObject). */
const STATUSES_RETRIABLE: ReadonlySet<number> = new Set([408, 409, 429])
/** Sent with status 400 (Amazon DynamoDB developer guide, "Error handling"; Amazon S3 API reference, "Error responses"). */
const NAMES_RETRIABLE: ReadonlySet<string> = new Set([
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestTimeout',
  'SlowDown',
  'ThrottlingException',
  'TransactionInProgressException',
])
/** Raised before any request is made: another try finds the same. */
const NAMES_OF_SETUP: ReadonlySet<string> = new Set(['CredentialsProviderError', 'TypeError', 'RangeError'])

export function readServiceFailure(error: unknown): ServiceFailure {
  const name = error instanceof Error ? error.name : 'unknown'
  const status = httpStatus(error)
  if (status === undefined) return { name, isRetriable: !NAMES_OF_SETUP.has(name) }
  const isRetriable = status >= STATUS_SERVER_ERROR || STATUSES_RETRIABLE.has(status) || NAMES_RETRIABLE.has(name)
  return { name, status, isRetriable }
}

function httpStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}
