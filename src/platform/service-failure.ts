// What a failed call to an AWS service means, read from the shape of the SDK's errors (status, name, code), so that code without
// an SDK can decide it too: whether it may succeed if it is made again, and what is wrong around the service rather than in it.
import { DeadlineError } from './deadline.ts'

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
const NAMES_OF_SETUP: ReadonlySet<string> = new Set([
  'CredentialsProviderError',
  'EndpointError',
  'TypeError',
  'RangeError',
])
/** The SDK's whole error for a region that nobody set: it has no name or code of its own. */
const REGION_MISSING = 'Region is missing'

export function readServiceFailure(error: unknown): ServiceFailure {
  const name = error instanceof Error ? error.name : 'unknown'
  const status = httpStatus(error)
  if (status === undefined) return { name, isRetriable: !NAMES_OF_SETUP.has(name) && !isRegionMissing(error) }
  const isRetriable = status >= STATUS_SERVER_ERROR || STATUSES_RETRIABLE.has(status) || NAMES_RETRIABLE.has(name)
  return { name, status, isRetriable }
}

function httpStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

/** What a call was made to, as a diagnosis names it. */
export interface CalledResource {
  readonly kind: 'table' | 'bucket' | 'stream' | 'function' | 'mapping' | 'metric'
  readonly name: string
}

/** Options of a MillraceError and its message. */
export interface ServiceDiagnosis {
  readonly message: string
  readonly code: string
  readonly next: string
  readonly retriable: boolean
}

/** What is not there: the service, the resource, or the caller's own setup. Undefined where the service answered otherwise. */
export function diagnoseServiceFailure(error: unknown, { kind, name }: CalledResource): ServiceDiagnosis | undefined {
  if (error instanceof DeadlineError) return ofDeadline(error)
  const failure = readServiceFailure(error)
  if (failure.name === 'ResourceNotFoundException' || failure.name === 'NoSuchBucket') {
    return {
      message: `There is no ${kind} ${name}`,
      code: `${kind}-missing`,
      next: 'Check --stage and the region; deploy first.',
      retriable: false,
    }
  }
  return diagnoseConnection(error) ?? diagnoseSetup(error, failure.name)
}

/** It says what to do by itself, whatever was called. */
function ofDeadline({ message, code, next = '', retriable }: DeadlineError): ServiceDiagnosis {
  return { message, code, next, retriable }
}

function diagnoseConnection(error: unknown): ServiceDiagnosis | undefined {
  // Where a name has several addresses, Node gives one error of all tries, which has the code but not the address.
  const tried: unknown = error instanceof AggregateError ? error.errors[0] : error
  const unreachable = { code: 'service-unreachable', retriable: true }
  switch (member(tried, 'code')) {
    case 'ECONNREFUSED':
      return {
        ...unreachable,
        message: `Nothing answers at ${member(tried, 'address')}:${member(tried, 'port')}`,
        next: 'Is `millrace local` running? Set AWS_ENDPOINT_URL to the address that it prints, or unset it to reach AWS.',
      }
    case 'ENOTFOUND':
      return {
        ...unreachable,
        message: `There is no host ${member(tried, 'hostname')}`,
        next: 'Check AWS_ENDPOINT_URL, the region (AWS_REGION) and whether this machine is online.',
      }
    default:
      return undefined
  }
}

function diagnoseSetup(error: unknown, name: string): ServiceDiagnosis | undefined {
  if (name === 'CredentialsProviderError') {
    return {
      message: 'There are no AWS credentials',
      code: 'credentials-missing',
      next: 'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for the local cloud set AWS_ENDPOINT_URL.',
      retriable: false,
    }
  }
  if (isRegionMissing(error)) {
    return {
      message: 'No AWS region is set',
      code: 'region-missing',
      next: 'Set AWS_REGION, to eu-central-1 for one; for the local cloud set AWS_ENDPOINT_URL.',
      retriable: false,
    }
  }
  if (name === 'EndpointError' || member(error, 'code') === 'ERR_INVALID_URL') return INVALID_ENDPOINT
  return undefined
}

const INVALID_ENDPOINT: ServiceDiagnosis = {
  message: 'AWS_ENDPOINT_URL is no URL of a service',
  code: 'endpoint-invalid',
  next: 'Write it as http://127.0.0.1:4566, as `millrace local` prints it, or unset it to reach AWS.',
  retriable: false,
}

/** The same of an endpoint before it is called: `localhost:4566` is a URL, whose protocol is `localhost:`. */
export function diagnoseEndpoint(url: string): ServiceDiagnosis | undefined {
  const protocol = URL.canParse(url) ? new URL(url).protocol : ''
  return ['http:', 'https:'].includes(protocol) ? undefined : INVALID_ENDPOINT
}

function isRegionMissing(error: unknown): boolean {
  return error instanceof Error && error.message === REGION_MISSING
}

function member(value: unknown, name: 'code' | 'address' | 'port' | 'hostname'): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const found: unknown = Reflect.get(value, name)
  return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined
}
