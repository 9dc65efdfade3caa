// A service that says no for a while, as DynamoDB does where a table is at its limits or a policy is wrong: nothing of the call is done, and
// the caller gets the error that AWS would give it.
import type { ServerResponse } from 'node:http'

export interface Refusal {
  /** As the SDK names it: `ProvisionedThroughputExceededException`, `AccessDeniedException`. */
  readonly code: string
  readonly message: string
}

/** Asked before each call of DynamoDB, with `DynamoDB_20120810.PutItem` and the call's JSON; undefined: the call goes on. */
export type Refuse = (target: string, body: string) => Refusal | undefined

export function sendRefusal(response: ServerResponse, { code, message }: Refusal): void {
  const body = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, message })
  response.writeHead(400, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}
