import { expect, test } from 'vitest'
import { diagnoseEndpoint, diagnoseServiceFailure, readServiceFailure } from '../../src/platform/service-failure.ts'

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
  expect(readServiceFailure(new Error('Region is missing')).isRetriable).toBe(false)
})

const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED', address: '127.0.0.1', port: 4566 })
const users = { kind: 'table', name: 'shop-dev-users' } as const

test.each([
  ['a connection refused', refused, 'service-unreachable', 'Nothing answers at 127.0.0.1:4566', 'millrace local'],
  [
    'one refused at each address of a name',
    Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' }),
    'service-unreachable',
    'Nothing answers at 127.0.0.1:4566',
    'AWS_ENDPOINT_URL',
  ],
  [
    'a host that is not there',
    Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND', hostname: 'no.such.host' }),
    'service-unreachable',
    'There is no host no.such.host',
    'region',
  ],
  [
    'a missing table',
    answered('ResourceNotFoundException', 400),
    'table-missing',
    'There is no table shop-dev-users',
    '--stage',
  ],
  [
    'no credentials',
    Object.assign(new Error('none'), { name: 'CredentialsProviderError' }),
    'credentials-missing',
    'There are no AWS credentials',
    'AWS_PROFILE',
  ],
  ['no region', new Error('Region is missing'), 'region-missing', 'No AWS region is set', 'AWS_REGION'],
  [
    'an endpoint that is no URL',
    Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL' }),
    'endpoint-invalid',
    'AWS_ENDPOINT_URL is no URL of a service',
    'http://127.0.0.1:4566',
  ],
])('%s has a line and a next step of its own', (_, error, code, message, next) => {
  expect(diagnoseServiceFailure(error, users)).toMatchObject({ code, message, next: expect.stringContaining(next) })
})

test('a bucket is told from a table, and what the service itself refuses is not diagnosed', () => {
  const archive = { kind: 'bucket', name: 'archive' } as const
  expect(diagnoseServiceFailure(answered('NoSuchBucket', 404), archive)).toMatchObject({ code: 'bucket-missing' })
  expect(diagnoseServiceFailure(answered('AccessDenied', 403), archive)).toBeUndefined()
  expect(diagnoseServiceFailure(new Error('socket hang up'), archive)).toBeUndefined()
})

test.each([
  ['http://127.0.0.1:4566', undefined],
  ['https://localstack.test', undefined],
  ['localhost:4566', 'endpoint-invalid'],
  ['nonsense', 'endpoint-invalid'],
])('%s as an endpoint: %s', (url, code) => {
  expect(diagnoseEndpoint(url)?.code).toBe(code)
})
