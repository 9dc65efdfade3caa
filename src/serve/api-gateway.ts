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
