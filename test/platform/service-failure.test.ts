import { expect, test } from 'vitest'
import { readServiceFailure } from '../../src/platform/service-failure.ts'

function answered(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } })
}

test.each([
  ['SlowDown', 503, true],
  ['InternalError', 500, true],
  ['ConditionalRequestConflict', 409, true],
  ['ThrottlingException', 400, true],
  ['ProvisionedThroughputExceededException', 400, true],
  ['ConditionalCheckFailedException', 400, false],
  ['ValidationException', 400, false],
  ['AccessDenied', 403, false],
  ['NoSuchKey', 404, false],
])('%s with status %i may succeed later: %s', (name, status, isRetriable) => {
  expect(readServiceFailure(answered(name, status))).toEqual({ name, status, isRetriable })
})

test('no answer at all may be an answer later, a missing credential will not', () => {
  expect(readServiceFailure(new Error('socket hang up')).isRetriable).toBe(true)
  const noCredentials = Object.assign(new Error('none'), { name: 'CredentialsProviderError' })
  expect(readServiceFailure(noCredentials).isRetriable).toBe(false)
})
