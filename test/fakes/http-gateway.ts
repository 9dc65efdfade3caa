// An HTTP API in front of a handler, as small as it can be: node:http, events of payload format 2.0, answers decoded from
// base64 as API Gateway does. Real clients talk to it in tests.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ApiGatewayEvent, ApiGatewayResult } from '../../src/serve/api-gateway.ts'

export type GatewayHandler = (event: ApiGatewayEvent) => Promise<ApiGatewayResult>

export interface HttpGateway {
  readonly url: string
  close(): Promise<void>
}

/** `routes`: templates such as `/users/{userId}`, whatever the method. */
export async function httpGateway(routes: Readonly<Record<string, GatewayHandler>>): Promise<HttpGateway> {
  const server = createServer((request, response) => {
    void answer(request, routes).then(({ statusCode, headers, body, isBase64Encoded }) => {
      response.writeHead(statusCode, headers)
      response.end(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  request: IncomingMessage,
  routes: Readonly<Record<string, GatewayHandler>>,
): Promise<ApiGatewayResult> {
  const url = new URL(request.url ?? '/', 'http://gateway')
  for (const [template, handler] of Object.entries(routes)) {
    const pathParameters = matchRoute(template, url.pathname)
    if (pathParameters === undefined) continue
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk as Uint8Array)
    return handler(
      gatewayEvent({
        method: request.method ?? 'GET',
        route: template,
        pathParameters,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks),
      }),
    )
  }
  return { statusCode: 404, headers: {}, body: '{"message":"Not Found"}', isBase64Encoded: false }
}

export interface GatewayRequest {
  readonly method?: string
  readonly route: string
  readonly pathParameters?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export function gatewayEvent(request: GatewayRequest): ApiGatewayEvent {
  const { method = 'GET', route, pathParameters, query = {}, headers = {}, body } = request
  return {
    routeKey: `${method} ${route}`,
    ...(pathParameters === undefined ? {} : { pathParameters }),
    ...(Object.keys(query).length === 0 ? {} : { queryStringParameters: query }),
    headers,
    requestContext: { http: { method } },
    ...(body === undefined || body.length === 0 ? {} : { body: Buffer.from(body as string).toString('base64') }),
    isBase64Encoded: body !== undefined,
  }
}

function matchRoute(template: string, path: string): Record<string, string> | undefined {
  const [names, values] = [template.split('/'), path.split('/')]
  if (names.length !== values.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [index, name] of names.entries()) {
    const value = values[index] ?? ''
    if (name.startsWith('{')) parameters[name.slice(1, -1)] = decodeURIComponent(value)
    else if (name !== value) return undefined
  }
  return parameters
}
