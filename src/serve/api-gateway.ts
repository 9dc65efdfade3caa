// API Gateway's HTTP API events (payload format 2.0) to requests and back. Only the members that are read are typed, so that
// nobody who uses the package needs AWS's types; a test holds them against those.
import type { HttpRequest, HttpResponse } from './http.ts'

export interface ApiGatewayEvent {
  /** `GET /users/{userId}`: the route as declared, by which the request was matched. */
  readonly routeKey: string
  /** Already percent-decoded by an HTTP API, unlike a REST API's: decoding again would change an id with a `%`. */
  readonly pathParameters?: Readonly<Record<string, string | undefined>>
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>>
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly requestContext: { readonly http: { readonly method: string } }
  readonly body?: string
  readonly isBase64Encoded: boolean
}

export interface ApiGatewayResult {
  statusCode: number
  headers: Record<string, string>
  body: string
  isBase64Encoded: boolean
}

export function fromApiGateway(event: ApiGatewayEvent): HttpRequest {
  return {
    method: event.requestContext.http.method.toUpperCase(),
    route: event.routeKey.slice(event.routeKey.indexOf(' ') + 1),
    path: present(event.pathParameters),
    headers: new Map([...present(event.headers)].map(([name, value]) => [name.toLowerCase(), value])),
    query: present(event.queryStringParameters),
    body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
  }
}

/** Lambda's limit of a response, 6 MB (AWS Lambda quotas): what is over it never reaches the caller, who gets an error that says nothing. */
export const ANSWER_BYTES_MAX = 6_291_456
/** A character may be six in JSON, as `\u0007`; base64 makes four of three bytes. */
const GROWTH_MAX = 6
/** A gateway takes 10,240 bytes of headers. */
const HEAD_BYTES_MAX = 16 * 1024

/** Whether the JSON that Lambda makes of the answer is within its limit. */
export function fitsAnswer(response: HttpResponse, bytesMax: number = ANSWER_BYTES_MAX): boolean {
  const { body = '' } = response
  if (body.length * GROWTH_MAX + HEAD_BYTES_MAX <= bytesMax) return true
  const isText = typeof body === 'string'
  const head = { ...toApiGateway({ ...response, body: '' }), isBase64Encoded: !isText }
  const own = isText ? Buffer.byteLength(JSON.stringify(body)) - 2 : Math.ceil(body.length / 3) * 4
  return Buffer.byteLength(JSON.stringify(head)) + own <= bytesMax
}

export function toApiGateway({ status, headers, body = '' }: HttpResponse): ApiGatewayResult {
  const isText = typeof body === 'string'
  return {
    statusCode: status,
    headers: { ...headers },
    body: isText ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64'),
    isBase64Encoded: !isText,
  }
}

function present(values: Readonly<Record<string, string | undefined>> = {}): ReadonlyMap<string, string> {
  const map = new Map<string, string>()
  for (const [name, value] of Object.entries(values)) if (value !== undefined) map.set(name, value)
  return map
}
