// A failed call of Lambda or CloudWatch as an error that says what to do.
import { type CalledResource, diagnoseServiceFailure, readServiceFailure } from '../platform/service-failure.ts'
import { OperationError } from './errors.ts'

/** `action`: what the role of whoever asks must allow, as IAM writes it. */
export function serviceError(error: unknown, action: string, called: CalledResource): OperationError {
  if (error instanceof OperationError) return error
  const diagnosis = diagnoseServiceFailure(error, called)
  if (diagnosis !== undefined) return new OperationError(diagnosis.message, { ...diagnosis, cause: error })
  const { name, isRetriable } = readServiceFailure(error)
  return new OperationError(`${action} was not answered (${name})`, {
    code: 'service-failed',
    retriable: isRetriable,
    next: isRetriable ? 'Try again in a minute.' : `Read the cause; your role needs ${action}.`,
    cause: error,
  })
}
