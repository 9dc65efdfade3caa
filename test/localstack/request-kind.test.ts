import { expect, it } from 'vitest'
import { requestKind } from '../../localstack/request-kind.ts'

const signedFor = (service: string): { authorization: string } => ({
  authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
})

it.each([
  ['a Kinesis target', '/', { 'x-amz-target': 'Kinesis_20131202.PutRecords' }, { service: 'kinesis' }],
  ['a DynamoDB target', '/', { 'x-amz-target': 'DynamoDB_20120810.GetItem' }, { service: 'dynamodb' }],
  ['another target', '/', { 'x-amz-target': 'AWSGlue.GetTable' }, { service: 'unknown', name: 'AWSGlue.GetTable' }],
  ['a signature for S3', '/bucket/key', signedFor('s3'), { service: 's3' }],
  [
    'a presigned address',
    '/bucket/key?X-Amz-Credential=local%2F20260101%2Fus-east-1%2Fs3%2Faws4_request',
    {},
    { service: 's3' },
  ],
  ['a signature for Lambda', '/2015-03-31/functions/x/invocations', signedFor('lambda'), { service: 'lambda' }],
  ['a signature for the API', '/users/ana', signedFor('execute-api'), { service: 'http-api' }],
  ['a signature for something else', '/', signedFor('sqs'), { service: 'unknown', name: 'sqs' }],
  ['no signature', '/users/ana', {}, { service: 'http-api' }],
  ['a bearer token', '/users/ana', { authorization: 'Bearer Credential=a/b/c/s3' }, { service: 'http-api' }],
  ['a path about the cloud itself', '/_local/status', {}, { service: 'local' }],
])('tells a request by %s', (_name, url, headers, expected) => {
  expect(requestKind(url, headers)).toEqual(expected)
})
