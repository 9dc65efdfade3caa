// Which service a request to the one endpoint is meant for, told as AWS tells it: by the target header, by the credential
// scope of the signature, else it is a call of the HTTP API.
import type { IncomingHttpHeaders } from 'node:http'
import { CLOUDWATCH_TARGET } from './cloudwatch-api.ts'

export type RequestKind =
  | { readonly service: 'kinesis' | 'dynamodb' | 's3' | 'lambda' | 'cloudwatch' | 'http-api' | 'local' }
  | { readonly service: 'unknown'; readonly name: string }

/** Requests about the local cloud itself, a name that no route of a pipeline has. */
export const LOCAL_PATH_PREFIX = '/_local/'

export function requestKind(url: string, headers: IncomingHttpHeaders): RequestKind {
  const target = headers['x-amz-target']
  if (typeof target === 'string') return fromTarget(target)
  if (url.startsWith(LOCAL_PATH_PREFIX)) return { service: 'local' }
  const scope = credentialScope(url, headers.authorization)
  if (scope === undefined || scope === 'execute-api') return { service: 'http-api' }
  if (scope === 's3' || scope === 'lambda') return { service: scope }
  return { service: 'unknown', name: scope }
}

function fromTarget(target: string): RequestKind {
  if (target.startsWith('Kinesis_')) return { service: 'kinesis' }
  if (target.startsWith('DynamoDB_')) return { service: 'dynamodb' }
  if (target.startsWith(CLOUDWATCH_TARGET)) return { service: 'cloudwatch' }
  return { service: 'unknown', name: target }
}

/** The service in `Credential=KEY/20250101/us-east-1/s3/aws4_request`, of the header or of a presigned address. */
function credentialScope(url: string, authorization: string | undefined): string | undefined {
  const signed =
    authorization?.startsWith('AWS4-') === true ? /Credential=([^,\s]+)/.exec(authorization)?.[1] : undefined
  const credential = signed ?? new URLSearchParams(url.split('?')[1] ?? '').get('X-Amz-Credential')
  return credential?.split('/')[3]
}
